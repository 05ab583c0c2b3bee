/** The port through which Alertmanagers are found. */
import type { LabelSet } from '../../core/alert.ts';

export interface Found {
  /** One label set per target, with its `__address__`. */
  readonly targets: readonly LabelSet[];
  /** What could not be asked; the targets it gave last time are among `targets`. */
  readonly problems: readonly string[];
}

export interface TargetSource {
  /** Time between two looks. */
  readonly refreshMs: number;
  /** Never rejects. */
  find(signal: AbortSignal): Promise<Found>;
}

/** What one question gave: targets, or why there is no answer. */
export type Answer = readonly LabelSet[] | { readonly failed: string };

/**
 * The last good answer to each question. An unanswered question keeps its targets: sending to an Alertmanager that may
 * have gone costs little, and forgetting one that is there costs its alerts.
 */
export class LastGood {
  #answers = new Map<string, readonly LabelSet[]>();

  /** Takes in a round of answers; questions that are no longer asked are forgotten. */
  update(answers: ReadonlyMap<string, Answer>): Found {
    const problems: string[] = [];
    const next = new Map<string, readonly LabelSet[]>();
    for (const [question, answer] of answers) {
      if ('failed' in answer) problems.push(answer.failed);
      next.set(question, 'failed' in answer ? (this.#answers.get(question) ?? []) : answer);
    }
    this.#answers = next;
    return { targets: [...next.values()].flat(), problems };
  }

  /** The same answers again, because the questions themselves could not be found. */
  keep(problem: string): Found {
    return { targets: [...this.#answers.values()].flat(), problems: [problem] };
  }
}
