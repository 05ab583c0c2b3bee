/** What pings come to, as log lines: what changes an agent's standing is news, the rest is for who looks closely. */
import type { PingRecord } from '../core/ping/state.ts';
import type { PingEvent } from '../core/ping/step.ts';
import type { PingLog } from './ping-ports.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface PingNews {
  readonly agentId: string;
  readonly events: readonly PingEvent[];
  /** Of the ping that was decided. */
  readonly record: PingRecord | undefined;
}

export function logPing(log: PingLog, { agentId, events, record }: PingNews): void {
  for (const event of events) {
    const { text, isNews, ...fields } = describe(event, record);
    const line = { agent: agentId, at: isoTime(event.atMs), ...fields };
    if (isNews) log.info(line, text);
    else log.debug(line, text);
  }
}

interface Description extends Fields {
  readonly text: string;
  readonly isNews: boolean;
}

function describe(event: PingEvent, record: PingRecord | undefined): Description {
  const decision = { outcome: record?.outcome, reason: record?.reason };
  switch (event.kind) {
    case 'escalated':
      return { text: 'agent escalated', isNews: true, ...decision, ...interval(event) };
    case 'eased':
      return { text: 'agent eased', isNews: false, ...decision, ...interval(event) };
    case 'recovered':
      return { text: 'agent recovered', isNews: true, reason: record?.reason };
    case 'restarted':
      return { text: 'agent restarted', isNews: true, bootId: event.bootId, isGrace: event.isGrace };
    case 'pardoned':
      return { text: 'agent pardoned: the engine itself had failed', isNews: true, outcome: event.outcome };
    case 'late':
      return { text: 'result came late and changes nothing', isNews: true, newestAt: isoTime(event.newestAtMs) };
    case 'early':
      return { text: 'ping came early and does not count', isNews: false, dueAt: isoTime(event.dueAtMs) };
    case 'retry':
      return { text: 'agent fails and is asked again', isNews: false, asked: event.attempts, reason: event.reason };
    default:
      return event satisfies never;
  }
}

function interval({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): Fields {
  return { fromSeconds: fromMs / 1000, toSeconds: toMs / 1000 };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
