/** Cycles of a rule group as Prometheus saw them, from its query log: nobody who asks can make them look shorter. */
import { closeSync, openSync, readSync } from 'node:fs';
import { FIRST, LAST, type Scenario } from './rules-scenario.ts';

export interface SeenCycle {
  /** From the begin of the first rule's query to the end of the last one's. */
  readonly wallMs: number;
  /** Queries of rules in between, both included. */
  readonly queries: number;
}

/** A line of the log, as far as it is read here. Prometheus 3 calls the instant `time`. */
interface LoggedQuery {
  readonly ts?: string;
  readonly time?: string;
  readonly params: { readonly query: string };
  readonly stats: { readonly timings: { readonly execTotalTime: number } };
}

export class CycleLog {
  readonly #descriptor: number;
  readonly #exprs: ReadonlySet<string>;
  readonly #ended: SeenCycle[] = [];
  #partial = '';
  #beganMs: number | undefined;
  #queries = 0;

  /** Reads what is written to the file from now on, until `close`. */
  constructor(file: string, { rules }: Scenario) {
    this.#descriptor = openSync(file, 'r');
    this.#exprs = new Set(rules.map(({ expr }) => expr));
    this.#newLines();
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** The oldest cycle that has ended and was not asked for yet; undefined while there is none. */
  next(): SeenCycle | undefined {
    this.#ended.push(...this.#newLines().flatMap((line) => this.#follow(JSON.parse(line) as LoggedQuery) ?? []));
    return this.#ended.shift();
  }

  #newLines(): readonly string[] {
    const chunk = Buffer.alloc(1 << 20);
    let text = this.#partial;
    for (let read = -1; read !== 0; ) {
      read = readSync(this.#descriptor, chunk);
      text += chunk.toString('utf8', 0, read);
    }
    const lines = text.split('\n');
    this.#partial = lines.pop() ?? '';
    return lines;
  }

  #follow({ ts, time = '', params: { query }, stats }: LoggedQuery): SeenCycle | undefined {
    if (!this.#exprs.has(query)) return undefined;
    const endMs = Date.parse(ts ?? time);
    if (query === FIRST.expr) {
      this.#beganMs = endMs - stats.timings.execTotalTime * 1000;
      this.#queries = 0;
    }
    this.#queries++;
    if (query !== LAST.expr || this.#beganMs === undefined) return undefined;
    const wallMs = endMs - this.#beganMs;
    this.#beganMs = undefined;
    return { wallMs, queries: this.#queries };
  }
}
