/**
 * The clock of the scenario. It follows the clock of the exporter at a chosen speed, and can be moved forward. Readings are
 * dated on the clock of the exporter, so that their age says what it always says; only their course follows this one.
 */

export interface SimulationClock {
  /** The clock of the exporter: milliseconds since the epoch. */
  now(): number;
  /** Scenario time now, in milliseconds; falls only if the clock of the exporter does. */
  elapsedMs(): number;
  /** Simulated seconds per second; 0 stands still until it is moved. */
  readonly speed: number;
  /** Moves the scenario forward at once. */
  advance(ms: number): void;
  /** How the two clocks have run, as far back as the last ten thousand moves; the last stretch goes on. */
  stretches(): readonly ClockStretch[];
}

/** A time in which the two clocks ran evenly: at `realMs` the scenario was at `elapsedMs`. */
export interface ClockStretch {
  readonly realMs: number;
  readonly elapsedMs: number;
}

interface ClockOptions {
  readonly now: () => number;
  readonly speed?: number;
  /** Scenario time that has already passed at the start. */
  readonly elapsedMs?: number;
}

const keptStretches = 10_000;

/** A clock that starts with this call. */
export function createSimulationClock({ now, speed = 1, elapsedMs = 0 }: ClockOptions): SimulationClock {
  let stretches: readonly ClockStretch[] = [{ realMs: now(), elapsedMs }];
  const elapsed = () => elapsedAt(stretches, speed, now());
  return {
    now,
    speed,
    elapsedMs: elapsed,
    stretches: () => stretches,
    advance: (ms) => {
      stretches = [...stretches, { realMs: now(), elapsedMs: elapsed() + ms }].slice(-keptStretches);
    },
  };
}

function elapsedAt(stretches: readonly ClockStretch[], speed: number, realMs: number): number {
  const last = stretches.at(-1);
  if (last === undefined) throw new Error('a clock has at least one stretch');
  return last.elapsedMs + Math.max(0, realMs - last.realMs) * speed;
}

/** When, on the clock of the exporter, the scenario was at `elapsedMs`; a time that was skipped was at the skip. */
export function realTimeOf(stretches: readonly ClockStretch[], speed: number, elapsedMs: number): number {
  const stretch = stretches.findLast((one) => one.elapsedMs <= elapsedMs) ?? stretches[0];
  if (stretch === undefined) throw new Error('a clock has at least one stretch');
  const reached = stretch.realMs + (speed === 0 ? 0 : (elapsedMs - stretch.elapsedMs) / speed);
  const next = stretches[stretches.indexOf(stretch) + 1];
  return next === undefined ? reached : Math.min(reached, next.realMs);
}
