/** What can act on a simulated GPU or node, and for how long. Faults and behaviours are made of these. */

import type { SensorName } from './sensors.ts';

export type Effect =
  /** Off the bus: the driver answers nothing for this GPU. */
  | { readonly kind: 'gone' }
  /** Off the bus now and then, on a seeded schedule. */
  | { readonly kind: 'flapping' }
  | { readonly kind: 'xid'; readonly code: number }
  /** Heats from the idle temperature along a straight line; undefined is 3 °C above the card's slowdown threshold. */
  | { readonly kind: 'ramp'; readonly toCelsius: number | undefined; readonly celsiusPerMinute: number }
  /** Runs warmer than it should, at last 1 °C below the slowdown threshold when at peak. */
  | { readonly kind: 'warmer'; readonly hoursToFull: number }
  /** Draws more power than its load explains. */
  | { readonly kind: 'hungry'; readonly factor: number }
  /** Draws this many times its power limit, whatever the load. */
  | { readonly kind: 'spike'; readonly timesLimit: number }
  | { readonly kind: 'occupied' }
  /** Shares of the framebuffer in use when idle and at peak. */
  | { readonly kind: 'filled'; readonly idle: number; readonly peak: number }
  /** Memory errors; the rate grows by itself once in each `growsEveryHours`. */
  | {
      readonly kind: 'errors';
      readonly correctablePerHour: number;
      readonly uncorrectablePerHour: number;
      readonly growsEveryHours: number;
    }
  /** Clocks that get lower from day to day. */
  | { readonly kind: 'sagging'; readonly sharePerDay: number; readonly most: number }
  /** One uncorrectable error; its end is a reset of the GPU. */
  | { readonly kind: 'broken-row' }
  | { readonly kind: 'blank'; readonly sensors: readonly SensorName[]; readonly shows: 'absent' | 'sentinel' }
  | NodeEffect;

/** What acts on a whole node. */
export type NodeEffect = { readonly kind: 'driver-reload' | 'exporter-hang' | 'node-down' };

/** An effect at work in [fromMs, untilMs) of scenario time; `untilMs` is Infinity while no end is known. */
export interface Influence<E extends Effect = Effect> {
  readonly effect: E;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Tells the random course of one event from that of another. */
  readonly id: number;
}

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The influences of one kind. */
export function ofKind<K extends Effect['kind']>(
  influences: readonly Influence[],
  kind: K,
): readonly Influence<Extract<Effect, { kind: K }>>[] {
  return influences.filter((influence): influence is Influence<Extract<Effect, { kind: K }>> =>
    isOfKind(influence, kind),
  );
}

function isOfKind(influence: Influence, kind: Effect['kind']): boolean {
  return influence.effect.kind === kind;
}

export function isActive({ fromMs, untilMs }: Span, atMs: number): boolean {
  return fromMs <= atMs && atMs < untilMs;
}

/** What the two have in common; undefined when that is nothing. */
export function overlap(one: Span, other: Span): Span | undefined {
  const fromMs = Math.max(one.fromMs, other.fromMs);
  const untilMs = Math.min(one.untilMs, other.untilMs);
  return fromMs < untilMs ? { fromMs, untilMs } : undefined;
}
