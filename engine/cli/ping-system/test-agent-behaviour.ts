/** How test agents fare: most well, and two in ways that a ping system has to cope with. */

export interface Behaviour {
  /** For people. */
  readonly what: string;
  readonly hasGpuAt: (elapsedMs: number) => boolean;
  /** Every how many pings it begins to hang; undefined for an agent that always answers. */
  readonly hangsAtEvery: number | undefined;
}

// Longer than four attempts of 10 s and the waits between them take: the failure is confirmed.
export const HANG_MS = 60_000;

const LOSS_EVERY_MS = 300_000;
const LOST_FROM_MS = 120_000;
const LOST_UNTIL_MS = 180_000;

const STEADY: Behaviour = { what: 'is always fine', hasGpuAt: () => true, hangsAtEvery: undefined };

const LOSING: Behaviour = {
  what: 'loses its GPU for one minute of every five',
  hasGpuAt: (elapsedMs) => {
    const phaseMs = elapsedMs % LOSS_EVERY_MS;
    return phaseMs < LOST_FROM_MS || phaseMs >= LOST_UNTIL_MS;
  },
  hangsAtEvery: undefined,
};

const HANGING: Behaviour = {
  what: 'leaves every third ping, and all for a minute after it, without an answer',
  hasGpuAt: () => true,
  hangsAtEvery: 3,
};

/** The second test agent loses its GPU, the third hangs, all others are fine. */
export function behaviourOf(nth: number): Behaviour {
  return { 2: LOSING, 3: HANGING }[nth] ?? STEADY;
}

/** Whether the ping of this instant is left without an answer; told of every ping once. */
export function hangs({ hangsAtEvery }: Behaviour): (atMs: number) => boolean {
  let answered = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  return (atMs) => {
    if (atMs < untilMs) return true;
    if (answered + 1 !== hangsAtEvery) {
      answered += 1;
      return false;
    }
    answered = 0;
    untilMs = atMs + HANG_MS;
    return true;
  };
}
