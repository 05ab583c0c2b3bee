/** The scenarios that come with the exporter. Each ends by itself and leaves no fault behind. */

import { behaviourKinds, type FaultKind, faultKinds } from './faults.ts';
import type { PlannedEvent, ScenarioPlan } from './plan.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface Step {
  readonly fault: string;
  readonly fromMs: number;
  readonly untilMs?: number;
  readonly values?: Readonly<Record<string, unknown>>;
  /** For all nodes rather than the chosen one. */
  readonly everywhere?: boolean;
}

export const namedScenarios: readonly ScenarioPlan[] = [
  {
    name: 'degradation',
    what: 'a GPU gets warm for 3 minutes, runs hot with memory errors for 3, falls off the bus for 1, comes back hot for 2 and is well from minute 9 on',
    events: steps(
      { fault: 'thermal-ramp', fromMs: 0, untilMs: 3.5 * minuteMs, values: { to: 84, per_minute: 12 } },
      { fault: 'ecc-storm', fromMs: 2 * minuteMs, untilMs: 9 * minuteMs, values: { correctable_per_minute: 30 } },
      { fault: 'hot', fromMs: 3 * minuteMs, untilMs: 9 * minuteMs },
      { fault: 'off-the-bus', fromMs: 6 * minuteMs, untilMs: 7 * minuteMs },
    ),
  },
  {
    name: 'flapping',
    what: 'a GPU falls off the bus five times within 10 minutes, for 10 to 60 seconds each',
    events: steps(
      { fault: 'off-the-bus', fromMs: 30_000, untilMs: 50_000 },
      { fault: 'off-the-bus', fromMs: 2 * minuteMs, untilMs: 2 * minuteMs + 45_000 },
      { fault: 'off-the-bus', fromMs: 4 * minuteMs, untilMs: 4 * minuteMs + 10_000 },
      { fault: 'off-the-bus', fromMs: 6 * minuteMs, untilMs: 7 * minuteMs },
      { fault: 'off-the-bus', fromMs: 9 * minuteMs, untilMs: 9 * minuteMs + 30_000 },
    ),
  },
  {
    name: 'thermal-ramp',
    what: 'a GPU heats by 3 °C a minute to 3 °C above its slowdown threshold, and is well again after 20 minutes',
    events: steps({ fault: 'thermal-ramp', fromMs: 0, untilMs: 20 * minuteMs }),
  },
  {
    name: 'ecc-storm',
    what: 'a GPU corrects 60 memory errors a minute for 10 minutes, then fails to correct one (XID 48); a driver reload of 30 seconds in minute 12 clears its counters',
    events: steps(
      { fault: 'ecc-storm', fromMs: 0, untilMs: 10 * minuteMs },
      { fault: 'ecc', fromMs: 10 * minuteMs, untilMs: 12 * minuteMs },
      { fault: 'driver-reload', fromMs: 12 * minuteMs, untilMs: 12 * minuteMs + 30_000 },
    ),
  },
  {
    name: 'fleet-outage',
    what: 'every node is off for 3 minutes',
    events: steps({ fault: 'node-down', fromMs: 0, untilMs: 3 * minuteMs, everywhere: true }),
  },
  {
    name: 'xid-31',
    what: 'a GPU raises XID 31, a memory page fault of its application, three times within a minute',
    events: steps(
      { fault: 'xid', fromMs: 0, values: { code: 31 } },
      { fault: 'xid', fromMs: 20_000, values: { code: 31 } },
      { fault: 'xid', fromMs: minuteMs, values: { code: 31 } },
    ),
  },
  {
    name: 'xid-48',
    what: 'a GPU meets a memory error it cannot correct (XID 48), and is reset after 5 minutes',
    events: steps({ fault: 'ecc', fromMs: 0, untilMs: 5 * minuteMs }),
  },
  {
    name: 'xid-79',
    what: 'a GPU falls off the bus (XID 79) for 5 minutes',
    events: steps({ fault: 'off-the-bus', fromMs: 0, untilMs: 5 * minuteMs }),
  },
  {
    name: 'early-warning',
    what: 'for 12 hours a GPU drifts up to 1 °C below its slowdown threshold, with ever more correctable memory errors; then it is well again',
    events: steps({ fault: 'early-warning', fromMs: 0, untilMs: 12 * hourMs }),
  },
];

function steps(...planned: readonly Step[]): readonly PlannedEvent[] {
  return planned.map(({ fault, fromMs, untilMs = fromMs, values = {}, everywhere = false }) => {
    const { scope, effects } = kindOf(fault);
    const nodes = everywhere ? 'all' : 'chosen';
    return { name: fault, effects: effects(values), fromMs, untilMs, nodes, gpus: scope === 'gpu' ? 'chosen' : 'all' };
  });
}

function kindOf(name: string): FaultKind {
  const kind = faultKinds.get(name) ?? behaviourKinds.get(name);
  if (kind === undefined) throw new Error(`there is no fault "${name}"`);
  return kind;
}
