/** The tick grid: tick k is at `k * interval` since the epoch, the same instants for every replica. */

/** Last tick at or before `atMs`. */
export function tickAtOrBefore(atMs: number, intervalMs: number): number {
  return Math.floor(atMs / intervalMs) * intervalMs;
}

/** Latest tick that has had `settleMs` to arrive in Prometheus by `nowMs`. */
export function latestSettledTick(nowMs: number, intervalMs: number, settleMs: number): number {
  return tickAtOrBefore(nowMs - settleMs, intervalMs);
}

/** The state of one GPU at one tick. The numbers are what timelines store. */
export const TICK = { unobserved: 0, down: 1, busy: 2, up: 3, maintenance: 4 } as const;

export type TickState = (typeof TICK)[keyof typeof TICK];

const NAMES = ['unobserved', 'down', 'busy', 'up', 'maintenance'] as const;

/** How many states there are: tables of counts have a column for each. */
export const TICK_STATES = NAMES.length;

export type TickStateName = (typeof NAMES)[number];

/** `TICK.down` -> `down`. */
export function tickStateName(state: TickState): TickStateName {
  return NAMES[state];
}
