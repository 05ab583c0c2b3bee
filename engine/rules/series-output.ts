/** Where the results of rules go: into Prometheus when it takes them. A failed write never stops an evaluation. */
import { type SeriesWriter, WriteError, type WrittenSeries } from '../prometheus/series-writer.ts';

/** How long a server without a receiver is left alone before it is asked again. */
const ASK_AGAIN_MS = 300_000;
/** A refusal that comes back sooner than this is the same one: other rules are stored between two of its evaluations. */
const QUIET_MS = 900_000;

export interface OutputPorts {
  /** Undefined when results are not to be written. */
  readonly writer: SeriesWriter | undefined;
  /** Limit of writing the results of one rule. */
  readonly timeoutMs: number;
  now(): number;
  onProblem(message: string): void;
  /** Told when the server turns out to take no remote writes. */
  onNoReceiver(): void;
}

export interface OutputStats {
  /** Samples that were stored, stale markers included. */
  readonly samples: number;
  /** Writes that failed, by kind. */
  readonly failures: Readonly<Record<WriteError['kind'], number>>;
}

export class SeriesOutput {
  readonly #ports: OutputPorts;
  #samples = 0;
  readonly #failures: Record<WriteError['kind'], number> = {
    no_receiver: 0,
    refused: 0,
    duplicate: 0,
    failed: 0,
  };
  /** When each kind of failure was met last; a server that stores again has forgotten all but refusals. */
  readonly #metAt = new Map<WriteError['kind'], number>();
  /** Why the server takes no writes, and until when it is not asked again. */
  #closed: { readonly error: WriteError; readonly untilMs: number } | undefined;

  constructor(ports: OutputPorts) {
    this.#ports = ports;
  }

  /** Whether queries see what the rules yield. True until the server has said otherwise. */
  isReadable(): boolean {
    return this.#ports.writer !== undefined && this.#closed === undefined;
  }

  stats(): OutputStats {
    return { samples: this.#samples, failures: { ...this.#failures } };
  }

  /** Finds out whether there is a receiver. */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#store([], signal);
  }

  /**
   * Resolves when everything is stored, with the error when something is not; rejects with what is no WriteError. Without
   * a writer there is no error, and nothing to write is written without a request.
   */
  async write(series: readonly WrittenSeries[], signal: AbortSignal): Promise<WriteError | undefined> {
    return series.length === 0 ? undefined : this.#store(series, signal);
  }

  async #store(series: readonly WrittenSeries[], signal: AbortSignal): Promise<WriteError | undefined> {
    if (this.#closed !== undefined && this.#ports.now() < this.#closed.untilMs) return this.#closed.error;
    const error = await this.#attempt(series, signal);
    if (error !== undefined) return signal.aborted ? error : this.#failed(error);
    this.#samples += series.length;
    this.#closed = undefined;
    for (const kind of ['no_receiver', 'failed'] as const) this.#metAt.delete(kind);
    return undefined;
  }

  /** Writes stale markers. A refusal is no news: somebody else has yielded the series since. */
  async end(markers: readonly WrittenSeries[], signal: AbortSignal): Promise<WriteError | undefined> {
    return this.isReadable() && markers.length > 0 ? this.#attempt(markers, signal) : undefined;
  }

  async #attempt(series: readonly WrittenSeries[], signal: AbortSignal): Promise<WriteError | undefined> {
    const { writer, timeoutMs } = this.#ports;
    try {
      await writer?.write(series, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      return undefined;
    } catch (error) {
      if (error instanceof WriteError) return error;
      throw error;
    }
  }

  /** Told once: a server that stores nothing until it stores again, a refusal until there has been none for a while. */
  #failed(error: WriteError): WriteError {
    this.#failures[error.kind]++;
    const isNew = this.#isNew(error.kind);
    if (isNew) this.#ports.onProblem(`results of rules are not written: ${error.message}`);
    if (error.kind === 'no_receiver') {
      this.#closed = { error, untilMs: this.#ports.now() + ASK_AGAIN_MS };
      if (isNew) this.#ports.onNoReceiver();
    }
    return error;
  }

  #isNew(kind: WriteError['kind']): boolean {
    const nowMs = this.#ports.now();
    const lastMs = this.#metAt.get(kind);
    this.#metAt.set(kind, nowMs);
    const isRefusal = kind === 'refused' || kind === 'duplicate';
    return lastMs === undefined || (isRefusal && nowMs - lastMs >= QUIET_MS);
  }
}
