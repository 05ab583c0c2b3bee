/** One node of a simulated fleet: a source of readings of its own, and whether it can be reached. */

import type { GpuSample, ReadFailure, Snapshot, Source } from '../../snapshot.ts';
import type { SimulationBoard } from './board.ts';
import { type Card, cardIn, phaseOf } from './card.ts';
import { beginnings, type Circumstances, circumstancesOf, countersSince, isInOutage } from './circumstances.ts';
import { realTimeOf } from './clock.ts';
import { isActive, ofKind } from './effects.ts';
import { spansOffTheBus } from './flapping.ts';
import { type Moment, momentAt } from './moment.ts';
import type { NodePlan } from './plan.ts';
import { driverVersion, nvmlVersion } from './profiles.ts';
import { sampleGpu } from './sample.ts';
import { createXidDelivery } from './xid-delivery.ts';

export interface SimulatedNode {
  readonly name: string;
  readonly modelName: string;
  /** How many GPUs it has, those off the bus included. */
  readonly gpus: number;
  readonly source: Source;
  /** What a scrape of this node meets now: an answer, none at all, or a refused connection. */
  reachability(): 'ok' | 'hang' | 'down';
  /** By index; also of those off the bus. */
  uuids(): readonly string[];
}

/** Makes no cards before they are asked for. */
export function createSimulatedNode(plan: NodePlan, node: number, board: SimulationBoard): SimulatedNode {
  const { clock } = board;
  const phaseS = phaseOf(board.plan.seed, node);
  const cards = lazily(() => cardsOf(plan, node, board.plan.seed));
  const xids = createXidDelivery(clock.elapsedMs(), board.schedule().nextId);
  const startedMs = Math.round(clock.now());
  let known: Circumstances | undefined;

  function circumstances(): Circumstances {
    const schedule = board.schedule();
    if (known?.schedule !== schedule) known = circumstancesOf(schedule, node, plan.gpus);
    return known;
  }

  function snapshot(): Snapshot {
    const atMs = clock.elapsedMs();
    const acting = circumstances();
    const dated = (elapsedMs: number) => realTimeOf(clock.stretches(), clock.speed, elapsedMs);
    return {
      takenAtMs: clock.now(),
      counterEpoch: `${startedMs}-${beginnings(acting, atMs)}`,
      xids: xids.take(cards(), acting, atMs).map((xid) => ({ ...xid, atMs: dated(xid.atMs) })),
      ...readings(cards(), acting, momentAt(atMs, phaseS)),
    };
  }

  function reachability(): 'ok' | 'hang' | 'down' {
    if (isInOutage(circumstances(), 'node-down', clock.elapsedMs())) return 'down';
    return isInOutage(circumstances(), 'exporter-hang', clock.elapsedMs()) ? 'hang' : 'ok';
  }

  async function read(signal: AbortSignal): Promise<Snapshot> {
    signal.throwIfAborted();
    const reached = reachability();
    if (reached === 'down') throw new Error(`${plan.name} is switched off`);
    if (reached === 'hang') return hang(signal);
    if (isInOutage(circumstances(), 'driver-reload', clock.elapsedMs())) throw new Error(driverAway(plan.name));
    return snapshot();
  }

  const { name, gpus, profile } = plan;
  const uuids = () => cards().map(({ identity }) => identity.uuid);
  const source = { read, close: async () => undefined };
  return { name, gpus, modelName: profile.modelName, source, reachability, uuids };
}

function cardsOf({ gpus, profile }: NodePlan, node: number, seed: number): readonly Card[] {
  return Array.from({ length: gpus }, (_, index) => cardIn({ profile, seed, node, index }));
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

// Whoever reads this node gives up in the end.
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

// As with a real driver that is not there: nothing can be said of any GPU.
function driverAway(name: string): string {
  return `the driver of ${name} is being loaded anew: no GPU can be read until it is there`;
}

type Readings = Pick<Snapshot, 'driverVersion' | 'nvmlVersion' | 'gpus' | 'health'>;

function readings(cards: readonly Card[], acting: Circumstances, moment: Moment): Readings {
  const lost = new Set(cards.filter((card) => isOffTheBus(card, acting, moment.atMs)));
  return {
    driverVersion,
    nvmlVersion,
    gpus: cards.filter((card) => !lost.has(card)).map((card) => sample(card, acting, moment)),
    health: { failures: [...lost].map(lostFailure) },
  };
}

function sample(card: Card, acting: Circumstances, moment: Moment): GpuSample {
  const influences = acting.influences[card.index] ?? [];
  return sampleGpu(card, moment, { influences, countersSinceMs: countersSince(acting, card.index, moment.atMs) });
}

function isOffTheBus(card: Card, { influences }: Circumstances, atMs: number): boolean {
  const own = influences[card.index] ?? [];
  const now = { fromMs: atMs, untilMs: atMs + 1 };
  const flaps = ofKind(own, 'flapping').flatMap((influence) => spansOffTheBus(card, influence, now));
  return [...ofKind(own, 'gone'), ...flaps].some((span) => isActive(span, atMs));
}

function lostFailure({ index, identity }: Card): ReadFailure {
  return {
    uuid: identity.uuid,
    identity,
    reason: 'gpu_is_lost',
    message: `GPU ${index} has fallen off the bus: it answers nothing until the host is reset`,
  };
}
