/** Silences and spans written by hand, in ticks of the fixtures' policy. */
import type { MaintenanceSpan, Silence } from '../../../engine/core/maintenance-span.ts';
import type { MaintenancePolicy, SilenceMatcher } from '../../../engine/core/policy.ts';
import { MINUTE, SECOND, START_MS } from './fixtures.ts';

export const TICK_MS = 10 * SECOND;

export function atTick(tick: number): number {
  return START_MS + tick * TICK_MS;
}

export function maintenancePolicy(change: Partial<MaintenancePolicy> = {}): MaintenancePolicy {
  return {
    budgetMs: 60 * MINUTE,
    commentPrefix: 'maintenance:',
    creators: [],
    noticeMs: 3 * TICK_MS,
    gate: 'allow',
    ...change,
  };
}

/** `instance=node-a` or `instance=~node-.*`. */
export function matcher(text: string): SilenceMatcher {
  const [, name = '', operator = '', value = ''] = /^(\w+)(=~|!~|!=|=)(.*)$/.exec(text) ?? [];
  return { name, value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') };
}

/** Created at tick 0 for the ticks 10 to 20 of node a. */
export function silence(change: Partial<Silence> = {}): Silence {
  return {
    id: 's1',
    matchers: [matcher('instance=a')],
    startsAtMs: atTick(10),
    endsAtMs: atTick(20),
    updatedAtMs: atTick(0),
    createdBy: 'sre',
    comment: 'maintenance: new fans',
    ...change,
  };
}

/** Ticks `from` up to, not including, `to`. */
export function span(from: number, to: number, change: Partial<MaintenanceSpan> = {}): MaintenanceSpan {
  return {
    id: 's1.0',
    silence: 's1',
    matchers: [matcher('instance=a')],
    fromMs: atTick(from),
    toMs: atTick(to),
    createdBy: 'sre',
    comment: 'maintenance: new fans',
    firstSeenMs: atTick(0),
    ...change,
  };
}
