/** The port through which the engine asks Prometheus. */

export type Labels = Readonly<Record<string, string>>;

/** One element of an instant vector. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One series of a range query: `values[i]` belongs to `startMs + i * stepMs`, NaN where there is no sample. */
export interface Series {
  readonly labels: Labels;
  readonly values: Float64Array;
}

export interface Range {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface PromQuery {
  /** Evaluates `expr` at `atMs`. A scalar answers as one sample without labels. Throws QueryError. */
  instant(expr: string, atMs: number, signal: AbortSignal): Promise<readonly Sample[]>;
  /** Evaluates `expr` on the grid start, start+step … end (inclusive). Throws QueryError. */
  range(expr: string, range: Range, signal: AbortSignal): Promise<readonly Series[]>;
}

/** `bad_data` means the query itself is wrong; everything else may pass by waiting. */
export const QUERY_ERROR_KINDS = ['unreachable', 'timeout', 'bad_answer', 'server_error', 'bad_data'] as const;

/** Prometheus did not give a usable answer; `message` says what happened and what to do. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly kind: (typeof QUERY_ERROR_KINDS)[number];

  constructor(kind: QueryError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
