/** Keeps at most one driver process for asking, and sees the killed ones off. What happened to them all is the supervision's state. */

import type { GpuIdentity } from '../../snapshot.ts';
import { type DriverProcess, type Launch, startDriverProcess } from './driver-process.ts';
import { createOutputLog, createRecordingLog, type Log } from './output-log.ts';
import type { ChildEvent, ChildOptions, HeardEvent } from './protocol.ts';
import type { TimeLimits } from './question-watch.ts';
import {
  initialSupervision,
  type SupervisionEvent,
  type SupervisionPolicy,
  type SupervisionState,
  step,
  whyNoStart,
} from './supervision.ts';

export interface KeeperOptions {
  readonly child: ChildOptions;
  readonly limits: TimeLimits;
  readonly policy: SupervisionPolicy;
  readonly now: () => number;
  readonly log: Log;
  readonly launch?: Launch | undefined;
  readonly onEvent: (event: HeardEvent) => void;
  /** A GPU has said who it is. */
  readonly onMet: (identity: GpuIdentity) => void;
  /** The process that could be asked is no more. */
  readonly onLoss: () => void;
}

export interface KeptProcess {
  /** 1 for the first, 2 for the one after it. */
  readonly number: number;
  readonly process: DriverProcess;
}

export interface ProcessKeeper {
  state(): SupervisionState;
  apply(event: SupervisionEvent): void;
  /** The process to ask, started when there is none. Throws while none may be started, saying why. */
  current(): KeptProcess;
  /** Gives this process up; the next one is started when it is needed. One that still runs is killed. Throws when closed. */
  giveUp(kept: KeptProcess, isRunning: boolean): void;
  /** Ends the process, by force if it must be. Never waits for one that cannot be killed. */
  close(): Promise<void>;
}

// A process that is let go needs less; together they stay within the second that the exporter takes to end.
const dismissalMs = 700;
const killingMs = 200;

const closedMessage = 'The source of GPU readings is closed.';

export function createProcessKeeper(options: KeeperOptions): ProcessKeeper {
  const { policy, limits, now, log } = options;
  const onOutput = createOutputLog(log, now);
  const onRecordingEnd = createRecordingLog(log);
  let state = initialSupervision;
  let kept: KeptProcess | undefined;
  let started = 0;
  let isClosed = false;

  const apply = (event: SupervisionEvent) => {
    state = step(policy, state, event);
  };

  function start(): KeptProcess {
    const reason = isClosed ? closedMessage : whyNoStart(policy, state, now());
    if (reason !== undefined) throw new Error(reason);
    started += 1;
    const number = started;
    // What a process hears is true when it comes late; whether it listens is not.
    const onEvent = (event: ChildEvent) => {
      if (event.kind === 'recording_ended') onRecordingEnd(process.pid, event.why);
      else if (event.kind === 'xid' || kept?.number === number) options.onEvent(event);
    };
    const process = startDriverProcess({ ...options, onEvent, onOutput });
    return { number, process };
  }

  function kill({ number, process }: KeptProcess): void {
    const overdue = setTimeout(() => {
      apply({ kind: 'overdue', process: number });
      log.error(
        { driverPid: process.pid },
        'a driver process cannot be killed and is left behind: the driver holds it',
      );
    }, limits.endMs).unref();
    process.kill();
    void process.ended.then(() => {
      clearTimeout(overdue);
      apply({ kind: 'ended', process: number });
    });
  }

  return {
    state: () => state,
    apply,
    current: () => {
      kept ??= start();
      return kept;
    },
    giveUp: (lost, isRunning) => {
      if (isClosed) throw new Error(closedMessage);
      kept = undefined;
      options.onLoss();
      if (isRunning) kill(lost);
    },
    close: async () => {
      isClosed = true;
      const last = kept;
      kept = undefined;
      if (last !== undefined) await end(last.process);
    },
  };
}

async function end(process: DriverProcess): Promise<void> {
  process.dismiss();
  await process.endsWithin(dismissalMs);
  process.kill();
  await process.endsWithin(killingMs);
}
