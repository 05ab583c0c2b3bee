/** The supervision against a small world of GPUs that hang, heal and hold processes, on virtual time. */
import { array, assert, constantFrom, integer, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standardPolicy } from '../../../exporter/source/nvml/source.ts';
import {
  dueForRetry,
  initialSupervision,
  leftOut,
  type SupervisionEvent,
  type SupervisionPolicy,
  type SupervisionState,
  step,
  whyNoStart,
} from '../../../exporter/source/nvml/supervision.ts';

const gpus = ['GPU-0', 'GPU-1', 'GPU-2', 'GPU-3', 'GPU-4', 'GPU-5', 'GPU-6', 'GPU-7'];
const roundMs = 1_000;
// In a process that has just been started a GPU gets twice its limit of 1.5 seconds.
const wedgeMs = 3_000;
const startMs = 800;
const overdueMs = 5_000;
const maxSampleAgeMs = 14_000;

interface Change {
  readonly kind: 'hang' | 'heal' | 'driver hangs' | 'driver answers' | 'kernel holds' | 'kernel lets go';
  readonly gpu: number;
  readonly afterRounds: number;
}

/** Does what the driver and its keeper do, in the same order, and notes what must never happen. */
class World {
  state: SupervisionState = initialSupervision;
  nowMs = 0;
  readonly lastReadMs = new Map(gpus.map((gpu) => [gpu, 0]));
  readonly everHung = new Set<string>();
  readonly hung = new Set<string>();
  driverHangs = false;
  kernelHolds = false;
  mostProcesses = 0;
  private readonly policy: SupervisionPolicy;
  private process: number | undefined;
  private started = 0;
  private readonly killedMs = new Map<number, number>();

  constructor(policy: SupervisionPolicy) {
    this.policy = policy;
  }

  change({ kind, gpu }: Change): void {
    const name = gpus[gpu] ?? '';
    if (kind === 'hang') {
      this.hung.add(name);
      this.everHung.add(name);
    } else if (kind === 'heal') this.hung.delete(name);
    else if (kind === 'driver hangs' || kind === 'driver answers') this.driverHangs = kind === 'driver hangs';
    else this.kernelHolds = kind === 'kernel holds';
  }

  healAll(): void {
    this.hung.clear();
    this.driverHangs = false;
    this.kernelHolds = false;
  }

  round(): void {
    this.seeOff();
    while (this.mayAsk()) if (this.ask(leftOut(this.state))) break;
    this.nowMs += roundMs;
  }

  private mayAsk(): boolean {
    if (this.process !== undefined) return true;
    if (whyNoStart(this.policy, this.state, this.nowMs) !== undefined) return false;
    this.started += 1;
    this.process = this.started;
    this.nowMs += startMs;
    this.mostProcesses = Math.max(this.mostProcesses, this.killedMs.size + 1);
    return true;
  }

  private ask(skip: readonly string[]): boolean {
    if (this.driverHangs) return this.lose(undefined, 30_000);
    const hanging = gpus.find((gpu) => !skip.includes(gpu) && this.hung.has(gpu));
    if (hanging !== undefined) return this.lose(hanging, wedgeMs);
    this.apply({ kind: 'answered', atMs: this.nowMs });
    for (const gpu of gpus) if (!skip.includes(gpu)) this.lastReadMs.set(gpu, this.nowMs);
    const due = dueForRetry(this.state, this.nowMs);
    if (due !== undefined) this.retry(due);
    return true;
  }

  private retry(gpu: string): void {
    if (this.hung.has(gpu)) this.lose(gpu, wedgeMs);
    else this.apply({ kind: 'recovered', atMs: this.nowMs, gpu });
  }

  private lose(gpu: string | undefined, tookMs: number): false {
    this.nowMs += tookMs;
    const process = this.process ?? 0;
    this.apply({
      kind: 'lost',
      how: 'wedged',
      atMs: this.nowMs,
      process,
      touching: { gpu, step: 'sensors' },
      message: 'hangs',
      hadAnswered: false,
    });
    this.killedMs.set(process, this.nowMs);
    this.process = undefined;
    this.seeOff();
    return false;
  }

  private seeOff(): void {
    for (const [process, killedMs] of this.killedMs) {
      if (!this.kernelHolds) {
        this.killedMs.delete(process);
        this.apply({ kind: 'ended', process });
      } else if (this.nowMs - killedMs >= overdueMs) this.apply({ kind: 'overdue', process });
    }
  }

  private apply(event: SupervisionEvent): void {
    this.state = step(this.policy, this.state, event);
  }
}

const change = (kinds: readonly Change['kind'][]) =>
  record({ kind: constantFrom(...kinds), gpu: integer({ min: 0, max: 7 }), afterRounds: integer({ min: 0, max: 30 }) });
const anyChange = oneof(
  { weight: 4, arbitrary: change(['hang', 'heal']) },
  { weight: 1, arbitrary: change(['driver hangs', 'driver answers', 'kernel holds', 'kernel lets go']) },
);
const course = array(anyChange, { maxLength: 40 });

interface Course {
  readonly policy?: SupervisionPolicy;
  readonly afterRound?: (world: World) => void;
}

function run(
  changes: readonly Change[],
  { policy = standardPolicy, afterRound = () => undefined }: Course = {},
): World {
  const world = new World(policy);
  for (const next of changes) {
    for (let round = 0; round < next.afterRounds; round += 1) {
      world.round();
      afterRound(world);
    }
    world.change(next);
  }
  return world;
}

describe('the supervision, whatever hangs and heals', () => {
  it('never has more processes than it may, also when none of them can be killed', () => {
    const policy = { ...standardPolicy, maxEnding: 3 };
    const held: Change = { kind: 'kernel holds', gpu: 0, afterRounds: 0 };
    const most = new Set<number>();
    assert(
      property(course, (changes) => {
        const { mostProcesses } = run([held, ...changes], { policy });
        most.add(mostProcesses);
        expect(mostProcesses).toBeLessThanOrEqual(policy.maxEnding);
      }),
    );
    expect(Math.max(...most)).toBe(policy.maxEnding);
  });

  it('never leaves out a GPU that has never hung', () => {
    assert(
      property(course, (changes) => {
        const afterRound = (world: World) => {
          expect(leftOut(world.state).filter((gpu) => !world.everHung.has(gpu))).toEqual([]);
        };
        run(changes, { afterRound });
      }),
    );
  });

  it('reads every GPU again once all is well', () => {
    assert(
      property(course, (changes) => {
        const world = run(changes);
        world.healAll();
        const healedMs = world.nowMs;
        while (world.nowMs < healedMs + standardPolicy.longestRetryMs + gpus.length * roundMs * 2) world.round();
        expect({ leftOut: leftOut(world.state), outage: world.state.outage, ending: world.state.ending }).toEqual({
          leftOut: [],
          outage: undefined,
          ending: {},
        });
      }),
    );
  });

  it('keeps the readings of the others fresh while a GPU hangs, is tried again and again, and heals', () => {
    const oneAtATime = array(change(['hang', 'heal']), { maxLength: 30 });
    assert(
      property(oneAtATime, integer({ min: 0, max: 7 }), (changes, victim) => {
        const afterRound = (world: World) => {
          const others = gpus.filter((_, index) => index !== victim);
          const oldest = Math.max(...others.map((gpu) => world.nowMs - (world.lastReadMs.get(gpu) ?? 0)));
          expect(oldest).toBeLessThan(maxSampleAgeMs);
        };
        run(
          changes.map((next) => ({ ...next, gpu: victim })),
          { afterRound },
        );
      }),
    );
  });

  it('keeps them fresh also when three GPUs hang at the same time', () => {
    const world = run([
      { kind: 'hang', gpu: 0, afterRounds: 3 },
      { kind: 'hang', gpu: 3, afterRounds: 0 },
      { kind: 'hang', gpu: 6, afterRounds: 0 },
    ]);
    const lastReadMs = world.lastReadMs.get('GPU-1') ?? 0;
    world.round();
    expect(leftOut(world.state)).toEqual(['GPU-0', 'GPU-3', 'GPU-6']);
    expect((world.lastReadMs.get('GPU-1') ?? 0) - lastReadMs).toBeLessThan(maxSampleAgeMs);
  });
});
