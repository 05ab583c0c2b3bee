/** What the harness' receiver demands of the messages of a case. */
import { isDeepStrictEqual } from 'node:util';
import { type Case, INTERVAL_MS, type Life } from './harness-cases.ts';
import { possibleFaces } from './harness-verdict.ts';
import type { Posted } from './harness-world.ts';

const RESEND_MS = 60_000;
const RETENTION_MS = 15 * 60_000;
/** What the harness allows for one request. */
const ROUND_TRIP_MS = 5000;
/** From one message to the next: a resend delay at least, and at most an interval more. */
const GAP_MS = [RESEND_MS - ROUND_TRIP_MS, RESEND_MS + INTERVAL_MS + ROUND_TRIP_MS] as const;

export interface Mail {
  readonly zero: number;
  readonly posted: readonly Posted[];
  /** Whether an instant must come after its cause instead of with it. */
  readonly isStrict: boolean;
}

/** A message with instants in milliseconds after the zero of the case. */
interface Message extends Pick<Posted, 'labels' | 'annotations' | 'generatorURL'> {
  readonly at: number;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What is wrong, in words. */
export function messageProblems({ lives }: Case, { zero, posted, isStrict }: Mail): readonly string[] {
  const messages = posted.map((one): Message => {
    const [startsAt, endsAt] = [Date.parse(one.startsAt) - zero, Date.parse(one.endsAt) - zero];
    return { ...one, at: one.at - zero, startsAt, endsAt };
  });
  const isIn = within(isStrict);
  const claimed = new Map(lives.map((life) => [life, messages.filter((message) => isOf(life, message, isIn))]));
  const orders = [...claimed.values()].flat();
  const strange = messages.filter((message) => orders.filter((claim) => claim === message).length !== 1);
  return [
    ...strange.map((message) => `nobody expects ${JSON.stringify(message)}`),
    ...[...claimed].flatMap(([life, own]) => lifeProblems(life, own, isIn)),
  ];
}

type Within = (instant: number, from: number, toleranceMs: number) => boolean;

function within(isStrict: boolean): Within {
  return (instant, from, toleranceMs) => (isStrict ? instant > from : instant >= from) && instant < from + toleranceMs;
}

/** Labels and startsAt tell the lives of an alert apart, in the message of its end too. */
function isOf({ labels, firedAt }: Life, message: Message, isIn: Within): boolean {
  const isSame = isDeepStrictEqual(
    new Set(Object.entries(labels).map(String)),
    new Set(Object.entries(message.labels).map(String)),
  );
  return isSame && firedAt !== undefined && isIn(message.startsAt, firedAt, INTERVAL_MS);
}

function lifeProblems(life: Life, messages: readonly Message[], isIn: Within): readonly string[] {
  const { firedAt, endedAt, nextAt } = life;
  if (firedAt === undefined) return messages.map(({ at }) => `a pending alert was sent at ${at / 1000} s`);
  const firing = messages.filter(({ at, endsAt }) => endsAt > at);
  const over = messages.filter(({ at, endsAt }) => endsAt <= at);
  const lastWord = Math.min(endedAt + RETENTION_MS, nextAt ?? Number.POSITIVE_INFINITY);
  return [
    ...spellProblems(`${life.rule} fires`, firing, { from: firedAt, until: endedAt, isIn }),
    ...spellProblems(`${life.rule} is over`, over, { from: endedAt, until: lastWord, isIn }),
    ...firing.filter((message) => !isFiringRight(life, message)).map(show('is wrong')),
    ...over.filter((message) => !isEndRight(life, message, isIn)).map(show('is a wrong end')),
  ];
}

interface Spell {
  readonly from: number;
  readonly until: number;
  readonly isIn: Within;
}

/** Sent at once, then regularly, to the end. */
function spellProblems(what: string, messages: readonly Message[], { from, until, isIn }: Spell): readonly string[] {
  const instants = messages.map(({ at }) => at);
  const [first = Number.NaN, last = Number.NaN] = [instants[0], instants.at(-1)];
  const [shortest, longest] = GAP_MS;
  const gaps = instants.slice(1).map((at, index) => at - (instants[index] ?? 0));
  return [
    ...(isIn(first, from, INTERVAL_MS) ? [] : [`${what}: first sent at ${first / 1000} s, not at ${from / 1000} s`]),
    ...gaps
      .filter((gap) => gap <= shortest || gap >= longest)
      .map((gap) => `${what}: sent again after ${gap / 1000} s`),
    ...(last > until - longest ? [] : [`${what}: last sent at ${last / 1000} s, though it lasts to ${until / 1000} s`]),
    ...(last < until + INTERVAL_MS ? [] : [`${what}: still sent at ${last / 1000} s`]),
  ];
}

/** C2: the end lies four resend delays after the sending. */
function isFiringRight(life: Life, { at, endsAt, annotations, generatorURL }: Message): boolean {
  const isShown = possibleFaces(life, at).some((face) => isDeepStrictEqual(face.annotations, annotations));
  const late = endsAt - at - 4 * RESEND_MS;
  return isShown && late > -2 * ROUND_TRIP_MS && late < INTERVAL_MS && URL.canParse(generatorURL);
}

/** C4: 15 minutes after the end it is sent for the last time, as Prometheus does. */
function isEndRight({ faces, endedAt }: Life, { at, endsAt, annotations }: Message, isIn: Within): boolean {
  const last = faces.at(-1)?.[1];
  const isShown = isDeepStrictEqual(last?.annotations, annotations);
  return isShown && isIn(endsAt, endedAt, INTERVAL_MS) && at - endsAt <= RETENTION_MS;
}

function show(what: string): (message: Message) => string {
  return (message) => `${JSON.stringify(message)} ${what}`;
}
