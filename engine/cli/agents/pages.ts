/** Long lists, which an engine hands out page by page. */
import type { EngineAnswer } from '../engine-client.ts';
import type { EngineFailure } from '../engine-failure.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
}

interface Collected<T, P extends Page<T>> {
  readonly kind: 'collected';
  readonly items: readonly T[];
  readonly last: P;
  /** When the last page was sent, on the engine's own clock. */
  readonly atMs: number;
}

const MOST_ON_A_PAGE = 1000;

/** At most `most` items, from as many pages as it takes. */
export async function collectPages<T, P extends Page<T>>(
  most: number,
  ask: (cursor: string | undefined, limit: number) => Promise<EngineAnswer<P>>,
): Promise<Collected<T, P> | EngineFailure> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (;;) {
    const answer = await ask(cursor, Math.min(MOST_ON_A_PAGE, most - items.length));
    if (answer.kind === 'failure') return answer;
    const { value: last, atMs } = answer;
    items.push(...last.items);
    // A page that leads nowhere would be asked for again for ever.
    const isEnd = last.next === null || last.next === cursor || last.items.length === 0;
    if (isEnd || items.length >= most) return { kind: 'collected', items: items.slice(0, most), last, atMs };
    cursor = last.next ?? undefined;
  }
}
