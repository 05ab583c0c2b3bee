/** What a receiver was told of each alert, without how often. */
import type { Received } from './rule-managers.ts';

/** One alert through one life: everything it said in turn, `fires` or `over` first. */
export interface Story {
  readonly what: readonly string[];
  /** startsAt, and endsAt when it is over; milliseconds since the epoch. */
  readonly instants: readonly number[];
  /** How long each firing message was good for, milliseconds: the longest and the shortest. */
  readonly lasting: readonly number[];
}

/** Sorted by labels, then by time. */
export function storiesOf(received: readonly Received[]): readonly Story[] {
  const lives = Map.groupBy(received, ({ labels, startsAt }) =>
    JSON.stringify([Object.entries(labels).sort(), startsAt]),
  );
  return [...lives]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, messages]) =>
      storyOf(
        key,
        messages.toSorted((a, b) => a.at - b.at),
      ),
    );
}

function storyOf(key: string, messages: readonly Received[]): Story {
  const said = messages.map((message) => {
    const word = isOver(message) ? 'over' : 'fires';
    return `${word} ${JSON.stringify(Object.entries(message.annotations ?? {}).sort())}`;
  });
  const [labels] = JSON.parse(key) as unknown[];
  const firing = messages.filter((message) => !isOver(message)).map(({ endsAt, at }) => Date.parse(endsAt) - at);
  const last = messages.at(-1);
  const end = last !== undefined && isOver(last) ? [Date.parse(last.endsAt)] : [];
  return {
    what: [JSON.stringify(labels), ...said.filter((text, index) => text !== said[index - 1])],
    instants: [Date.parse(messages[0]?.startsAt ?? ''), ...end],
    lasting: firing.length === 0 ? [] : [Math.max(...firing), Math.min(...firing)],
  };
}

function isOver({ endsAt, at }: Received): boolean {
  return Date.parse(endsAt) <= at;
}
