/** The driver behind its process: read in rounds, and given a new process when a call does not come back. */

import type { CallErrorCount } from '../../snapshot.ts';
import { createCallErrorTotals } from './call-errors.ts';
import { createProcessKeeper, type KeeperOptions, type KeptProcess } from './process-keeper.ts';
import { gpuName, type Outcome } from './question-watch.ts';
import type { NvmlReading, ReaderMemory } from './reading.ts';
import { dueForRetry, leftOut, type SupervisionState } from './supervision.ts';

export interface Driver {
  /** Every GPU but those left out; one call at a time. Rejects while the driver cannot be used, saying why. */
  read(): Promise<NvmlReading>;
  /** Over all processes. */
  callErrors(): readonly CallErrorCount[];
  supervision(): SupervisionState;
  close(): Promise<void>;
}

type Lost = Exclude<Outcome, { readonly kind: 'answered' }>;

const replacedDriver = 'The driver was replaced by another version; a new process loads the library that fits it.';

export function createDriver(options: KeeperOptions): Driver {
  const { now, log } = options;
  const keeper = createProcessKeeper(options);
  const errors = createCallErrorTotals();
  let memory: ReaderMemory | undefined;
  // The last process that has read GPUs.
  let answered = 0;
  let retry: Promise<void> | undefined;

  // Each turn of the loop has lost a process: that leaves out one more GPU, or makes the driver as a whole wait.
  async function read(): Promise<NvmlReading> {
    await retry;
    for (;;) {
      const reading = await ask(leftOut(keeper.state()));
      if (reading === undefined) continue;
      keeper.apply({ kind: 'answered', atMs: now() });
      memory = reading.memory;
      // One that cannot be tried now stays due.
      retry = retryOne(reading.memory).catch(() => undefined);
      return reading;
    }
  }

  // The others have just been read and are left alone for once, so that only the GPU that may hang is touched.
  async function retryOne({ gpus }: ReaderMemory): Promise<void> {
    const gpu = dueForRetry(keeper.state(), now());
    if (gpu === undefined) return;
    const names = [...gpus.map(({ uuid }) => uuid), ...leftOut(keeper.state())];
    if ((await ask(names.filter((name) => name !== gpu))) === undefined) return;
    keeper.apply({ kind: 'recovered', atMs: now(), gpu });
    log.info({ gpu }, 'the GPU answers again');
  }

  /** Undefined when the process was lost over it. */
  async function ask(skip: readonly string[]): Promise<NvmlReading | undefined> {
    const kept = keeper.current();
    const outcome = await kept.process.ask({ kind: 'read', skip, memory });
    if (outcome.kind !== 'answered') lose(kept, outcome);
    else if (outcome.answer.kind === 'unavailable') refuse(kept, outcome.answer.message);
    else if (outcome.answer.kind === 'reading') return accept(kept, outcome.answer.reading);
    else refuse(kept, 'The driver process has answered a question that it was not asked.');
    return undefined;
  }

  function accept(kept: KeptProcess, reading: NvmlReading): NvmlReading | undefined {
    errors.update(kept.number, reading.callErrors);
    const refusal = reading.unavailable?.message ?? (reading.needsNewProcess ? replacedDriver : undefined);
    if (refusal !== undefined) return refuse(kept, refusal);
    answered = kept.number;
    return reading;
  }

  function refuse(kept: KeptProcess, message: string): undefined {
    keeper.giveUp(kept, true);
    const hadAnswered = answered === kept.number;
    keeper.apply({ kind: 'unavailable', atMs: now(), process: kept.number, message, hadAnswered });
  }

  function lose(kept: KeptProcess, outcome: Lost): void {
    const { kind: how, touching } = outcome;
    const message = lossMessage(outcome);
    keeper.giveUp(kept, how === 'wedged');
    // A driver that fails in the same way again and again is no news.
    const isNews = touching.gpu !== undefined || keeper.state().outage?.message !== message;
    if (isNews) log.warn({ driverPid: kept.process.pid, gpu: touching.gpu, step: touching.step }, message);
    const hadAnswered = answered === kept.number;
    keeper.apply({ kind: 'lost', atMs: now(), process: kept.number, how, touching, message, hadAnswered });
  }

  return { read, callErrors: errors.totals, supervision: keeper.state, close: keeper.close };
}

function lossMessage({ kind, touching, message }: Lost): string {
  if (kind === 'wedged') return message;
  const where = touching.gpu === undefined ? touching.step : `${touching.step} of ${gpuName(touching.gpu)}`;
  return `${message} It was busy with: ${where}.`;
}
