/** The last evaluations of one rule. */
import type { EvaluationRecord, RuleHealth } from './status.ts';

const KEPT = 20;

export class EvaluationLog {
  #records: readonly EvaluationRecord[] = [];

  add(record: EvaluationRecord): void {
    this.#records = [record, ...this.#records].slice(0, KEPT);
  }

  /** Newest first. */
  records(): readonly EvaluationRecord[] {
    return this.#records;
  }

  lastError(): string | undefined {
    return this.#records[0]?.error;
  }

  health(): RuleHealth {
    const [newest] = this.#records;
    if (newest === undefined) return 'unknown';
    return newest.error === undefined ? 'ok' : 'err';
  }
}
