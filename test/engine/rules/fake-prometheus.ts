/** A Prometheus that answers from a table, fails, is slow or hangs, and honours the signal as the real client does. */
import { type PromQuery, QueryError, type Sample, type Series } from '../../../engine/prometheus/query.ts';

type Answer = readonly Sample[] | Error | 'hang';

export class FakePrometheus implements PromQuery {
  /** What an expression answers at an instant; empty for expressions that are not listed. */
  readonly answers = new Map<string, (atMs: number) => Answer | Promise<Answer>>();
  readonly asked: { readonly expr: string; readonly atMs: number }[] = [];

  async instant(expr: string, atMs: number, signal: AbortSignal): Promise<readonly Sample[]> {
    this.asked.push({ expr, atMs });
    const answer = await this.answers.get(expr)?.(atMs);
    if (answer === 'hang') return await untilAborted(signal);
    if (answer instanceof Error) throw answer;
    return answer ?? [];
  }

  async range(): Promise<readonly Series[]> {
    throw new QueryError('bad_data', 'alert rules never ask for ranges');
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new QueryError('timeout', 'Prometheus did not answer in time'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
