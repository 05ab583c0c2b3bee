/** An agent as it registered: a process inside a GPU container that answers pings. */

export interface Agent {
  /** Chosen by whoever registers it; unique. */
  readonly id: string;
  /** Base URL; from the network, so never asked without the guards of the ping client. */
  readonly url: string;
  readonly capabilities: readonly string[];
  /** What else was said of it, such as gpu_model. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  /** The node whose uptime Prometheus knows, when it was named (metadata `node`); the host of the URL otherwise. */
  readonly node: string;
  /** The GPU it speaks for, when it was named (metadata `gpu_uuid`): its node's GPUs otherwise. */
  readonly gpu: string | undefined;
  readonly registeredAtMs: number;
  readonly updatedAtMs: number;
}
