/** What a ping came to. */

/** One side's word on a span; ratios are 0..1. */
export interface UptimeClaim {
  /** Undefined when the side knows nothing of the span. */
  readonly uptime: number | undefined;
  /** Share of the span that was watched at all. */
  readonly coverage: number;
}

/** What Prometheus saw of a span. */
export interface Sighting extends UptimeClaim {
  /**
   * Share of the span in which Prometheus itself was there to see, whether or not it knew any of the agent's GPUs; absent
   * when that is not known.
   */
  readonly watched?: number;
}

export interface PingEvidence {
  readonly claimed: UptimeClaim | undefined;
  /** What Prometheus saw over the same span. */
  readonly observed: UptimeClaim | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

/** An agent's answer, decoded. */
export interface AgentAnswer {
  readonly bootId: string;
  /** Cursor for the next ping. */
  readonly seq: number;
  readonly isGpuAvailable: boolean | undefined;
  /** Why the agent sees no GPU. */
  readonly reason: string | undefined;
  readonly claimed: UptimeClaim;
  /** Whether it answers from the cursor that was asked for. */
  readonly continuity: string;
}

/** What the client brought back. */
export type PingReply =
  | {
      readonly kind: 'answered';
      readonly answer: AgentAnswer;
      readonly roundTripMs: number;
      /** How far the agent's clock is ahead of the engine's; absent when neither its answer nor its headers say. */
      readonly clockSkewMs?: number | undefined;
    }
  /** No connection, or no answer in time. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** It answered that it will not: 4xx, 429, 503. */
  | { readonly kind: 'refused'; readonly reason: string; readonly retryAfterMs: number | undefined }
  /** It answered what is no answer: not JSON, too long, absurd numbers. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** The address may not be asked (guards), so nothing was sent. */
  | { readonly kind: 'forbidden'; readonly reason: string };

/** What the reply amounts to under the policy. `unobserved`: no evidence at all, which is no fault of the agent's. */
export type PingOutcome = 'good' | 'poor' | 'no_gpu' | 'unreachable' | 'refused' | 'invalid' | 'unobserved';
