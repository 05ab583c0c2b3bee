/** What agents are told apart by, and where one goes on that takes up what another gave up; the same in every adapter. */
import { createHash } from 'node:crypto';
import type { Agent } from '../core/ping/agent.ts';
import type { PingState } from '../core/ping/state.ts';
import type { Row } from './agent-row.ts';
import type { Taken } from './agent-store.ts';
import { decodePingState } from './ping-state-json.ts';

/** An id, a URL or a GPU. */
export interface Mark {
  readonly kind: Taken['by'];
  readonly name: string;
}

/** Whoever takes up marks: `number` is that of an agent which is registered already. */
export interface Successor {
  readonly nowMs: number;
  readonly number: number | undefined;
}

export function marksOf({ id, url, gpu }: Agent): readonly Mark[] {
  const marks: readonly Mark[] = [
    { kind: 'id', name: id },
    { kind: 'url', name: url },
  ];
  return gpu === undefined ? marks : [...marks, { kind: 'gpu', name: gpu }];
}

/** By which it is kept: a URL may be longer than an index takes. */
export function keyOf({ kind, name }: Mark): string {
  return createHash('sha256').update(`${kind} ${name}`).digest('hex');
}

/** What the agent had before and has not now. */
export function givenUp(before: Agent, now: Agent): readonly Mark[] {
  const has = new Set(marksOf(now).map(keyOf));
  return marksOf(before).filter((mark) => !has.has(keyOf(mark)));
}

/** `others` are rows of table `agent` with the columns id, url and gpu. */
export function takenBy(agent: Agent, others: readonly Row[]): Taken | undefined {
  for (const { kind, name } of marksOf(agent)) {
    const other = others.find((row) => row[kind] === name);
    if (other !== undefined) return { kind: 'taken', by: kind, id: String(other.id) };
  }
  return undefined;
}

/**
 * The more escalated of an agent's own state and those of the rows of table `departed`. What the agent itself gave up says
 * less of it than its own state.
 */
export function goingOn(
  own: PingState | undefined,
  rows: readonly Row[],
  { nowMs, number }: Successor,
): PingState | undefined {
  const kept = rows.filter(({ agent, until_ms }) => Number(until_ms) > nowMs && Number(agent) !== number);
  // Of those that stand alike the one that was kept last.
  kept.sort((a, b) => Number(b.until_ms) - Number(a.until_ms));
  const states = kept.flatMap(({ state }) => decodePingState(String(state)) ?? []);
  return states.reduce<PingState | undefined>(moreEscalated, number === undefined ? undefined : own) ?? own;
}

function moreEscalated(one: PingState | undefined, other: PingState): PingState {
  return one === undefined || other.consecutivePoor > one.consecutivePoor ? other : one;
}

/** Whether the agent is asked at another address now, or about others' GPUs. */
export function isElsewhere(before: Agent, after: Agent): boolean {
  return before.url !== after.url || before.node !== after.node || before.gpu !== after.gpu;
}
