/** What a ping came to, as JSON: what was found, whether it counts, and where the agent stands now. */
import type { Verdict } from '../core/ping/judge.ts';
import type { PingReply } from '../core/ping/outcome.ts';
import type { PingRecord } from '../core/ping/state.ts';
import type { PingEvent } from '../core/ping/step.ts';
import type { Pinged } from '../ping/pings.ts';
import { percent, secondsOrNull } from './answers.ts';
import { agentEntry, evidenceEntry, fineSeconds, type Present } from './ping-answers.ts';
import { Problem } from './problem.ts';

/** A ping that was judged, whether or not it counts. */
type Judged = Extract<Pinged, { readonly kind: 'pinged' }>;
/** A handed-in ping that is too old to be judged. */
type Unjudged = Extract<Pinged, { readonly kind: 'duplicate' | 'late' }>;

/** Throws the Problem that says why there is no ping to speak of. */
export function pingOf(pinged: Pinged, id: string): Judged | Unjudged {
  switch (pinged.kind) {
    case 'pinged':
    case 'duplicate':
    case 'late':
      return pinged;
    case 'invalid':
      throw new Problem(400, `the result is not valid: ${pinged.reason}`);
    case 'busy':
      throw new Problem(409, `a ping of ${id} is in flight: ask again in a few seconds`);
    case 'overtaken':
      throw new Problem(409, `${id} was pinged or changed by somebody else meanwhile: ask again`);
    case 'unknown':
      throw unknownAgent(id);
    case 'stopped':
      throw new Problem(503, 'the engine is stopping and pings nobody any more: ask again when it is back');
  }
}

export function unknownAgent(id: string): Problem {
  const fix = 'GET /ping-system/agents lists the agents, POST /ping-system/agents/register registers one';
  return new Problem(404, `no agent ${id} is registered; ${fix}`);
}

export function pingedAnswer(ping: Judged | Unjudged, present: Present): Record<string, unknown> {
  const found = ping.kind === 'pinged' ? judgedFacts(ping, present) : unjudgedFacts(ping);
  return { ...found, agent: agentEntry(ping, present) };
}

function judgedFacts(ping: Judged, { policy, nowMs }: Present): Record<string, unknown> {
  const { outcome, reason, uptime, evidence } = findingOf(ping);
  return {
    counted: ping.record !== undefined,
    why_not: ping.record === undefined ? whyNot(ping, nowMs) : null,
    reply: replyEntry(ping.reply),
    outcome: outcome ?? null,
    reason: reason ?? null,
    uptime_percentage: percent(uptime),
    evidence: evidenceEntry(evidence, policy),
    round_trip_seconds: ping.reply.kind === 'answered' ? fineSeconds(ping.reply.roundTripMs) : null,
    events: ping.events.map(eventEntry),
  };
}

const NOTHING = { reply: null, outcome: null, reason: null, uptime_percentage: null, evidence: null };

function unjudgedFacts(ping: Unjudged): Record<string, unknown> {
  const why =
    ping.kind === 'duplicate' ? DUPLICATE : `it is late: a ping that began at ${ping.newestAtMs / 1000} is known`;
  return { counted: false, why_not: why, ...NOTHING, round_trip_seconds: null, events: [] };
}

const DUPLICATE = 'this ping was handed in before';

type Finding = Partial<Pick<PingRecord, 'outcome' | 'reason' | 'uptime' | 'evidence'>>;

/** A ping that does not count was judged all the same, unless it was late. */
function findingOf({ record, events }: Judged): Finding {
  if (record !== undefined) return record;
  for (const event of events) {
    if (event.kind === 'early') return findingOfVerdict(event.verdict);
    if (event.kind === 'retry') return { reason: event.reason };
  }
  return {};
}

function findingOfVerdict(verdict: Verdict): Finding {
  return verdict.kind === 'decided' ? verdict : { reason: verdict.reason };
}

function whyNot({ events, state }: Judged, nowMs: number): string {
  for (const event of events) {
    if (event.kind === 'early') return earlyText(event);
    if (event.kind === 'late') return lateText(event);
    if (event.kind === 'retry')
      return `a failure counts only once it is confirmed: the agent is to be asked again ${whenText(state.nextDueAtMs - nowMs)}`;
  }
  return 'nothing was decided';
}

function earlyText({ atMs, dueAtMs }: Extract<PingEvent, { readonly kind: 'early' }>): string {
  return `it came ${roundSeconds(dueAtMs - atMs)} s before its time: what it found is shown, and changes nothing`;
}

function lateText({ atMs, newestAtMs }: Extract<PingEvent, { readonly kind: 'late' }>): string {
  if (atMs === newestAtMs) return 'a ping that began at the same instant is known already';
  return `it began ${roundSeconds(newestAtMs - atMs)} s before the newest ping that is known`;
}

function whenText(ms: number): string {
  return ms > 0 ? `in ${Math.ceil(ms / 1000)} s` : 'now';
}

function roundSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function replyEntry(reply: PingReply): Record<string, unknown> {
  switch (reply.kind) {
    case 'answered': {
      const { answer } = reply;
      return {
        kind: reply.kind,
        gpu_available: answer.isGpuAvailable ?? null,
        reason: answer.reason ?? null,
        boot_id: answer.bootId,
        seq: answer.seq,
        continuity: answer.continuity,
        clock_skew_seconds: secondsOrNull(reply.clockSkewMs),
      };
    }
    case 'refused':
      return { kind: reply.kind, reason: reply.reason, retry_after_seconds: secondsOrNull(reply.retryAfterMs) };
    default:
      return { kind: reply.kind, reason: reply.reason };
  }
}

function eventEntry(event: PingEvent): Record<string, unknown> {
  return { kind: event.kind, at: event.atMs / 1000, ...eventFacts(event) };
}

function eventFacts(event: PingEvent): Record<string, unknown> {
  switch (event.kind) {
    case 'late':
      return { newest_at: event.newestAtMs / 1000 };
    case 'early':
      return { due_at: event.dueAtMs / 1000 };
    case 'retry':
      return { attempts: event.attempts, reason: event.reason };
    case 'restarted':
      return { boot_id: event.bootId, is_grace: event.isGrace };
    case 'escalated':
    case 'eased':
      return { from_interval_seconds: event.fromMs / 1000, to_interval_seconds: event.toMs / 1000 };
    case 'pardoned':
      return { outcome: event.outcome };
    default:
      return {};
  }
}
