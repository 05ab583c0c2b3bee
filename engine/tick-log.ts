/** What the folds report, as log lines. Replayed history is only worth a debug line. */
import type { Logger } from 'pino';
import type { FleetEvent } from './core/fleet.ts';
import { verdictReason } from './core/reason.ts';
import { subjectName } from './core/subject.ts';
import { tickStateName } from './core/tick.ts';

export function logEvent(log: Logger, event: FleetEvent, isPast: boolean): void {
  const { fields, text, isNews } = describe(event);
  const at = new Date(event.atMs).toISOString();
  if (isPast || !isNews) log.debug({ ...fields, at }, text);
  else log.info({ ...fields, at }, text);
}

interface Description {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly isNews: boolean;
}

function describe(event: FleetEvent): Description {
  if (event.kind === 'gpu_state') return describeGpu(event);
  if (event.kind === 'gpu_forgotten') return { fields: { gpu: event.gpu }, text: 'GPU forgotten', isNews: true };
  if (event.kind === 'guard') {
    const text = event.isFrozen ? 'escalations frozen: most nodes turned low together' : 'escalations resumed';
    return { fields: {}, text, isNews: true };
  }
  const { capability, subject, episode } = event.kind === 'delay' ? event.running : event.was;
  const fields = { capability, subject: subjectName(subject), failures: episode.failures };
  return { fields, text: event.kind === 'delay' ? 'delay started' : 'delay cleared', isNews: subject.level !== 'gpu' };
}

function describeGpu({ gpu, from, to }: Extract<FleetEvent, { kind: 'gpu_state' }>): Description {
  const fields = { gpu, from: tickStateName(from.state), to: tickStateName(to.state), reason: verdictReason(to) };
  return { fields, text: 'GPU changed state', isNews: true };
}
