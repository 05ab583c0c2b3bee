/** Asks one agent once, without trusting its URL, its name server, its connection or its answer. */
import type { PingReply } from '../core/ping/outcome.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';
import type { AddressGuard } from './address-guard.ts';
import { type Asked, decodeAgentAnswer, excerpt } from './agent-answer.ts';
import { readAgentUrl } from './agent-url.ts';
import { withinTime } from './deadline.ts';
import { type GuardedAnswer, type GuardedOutcome, guardedGet } from './guarded-exchange.ts';
import { allowedAddresses, type LookUp, TurnWait } from './name-lookup.ts';
import { retryAfterMs } from './retry-after.ts';

export interface PingQuestion {
  readonly agentId: string;
  /** As it was registered; judged again, because the policy may have changed since. */
  readonly url: string;
  /** Where the last answer ended; undefined for a first ping. */
  readonly cursor: Asked['cursor'];
  /** When that answer came, in milliseconds since the epoch. */
  readonly spanFromMs: number | undefined;
  /** The agent's own token, certificate authority or client certificate. */
  readonly access?: HttpClientSettings;
  readonly signal: AbortSignal;
}

export interface PingMeans {
  readonly guard: AddressGuard;
  /** For the lookup of the name, the connection and the whole answer together. */
  readonly timeoutMs: number;
  readonly lookUp: LookUp;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const MAX_BYTES = 64 * 1024;
const PATH = '/agent/uptime-since-last-ping';

/**
 * Asks the agent what happened since the cursor; without one, what it sees now. Opens at most one connection per allowed
 * address and leaves none behind. Undefined when the signal ended it: that says nothing of the agent. Never throws.
 */
export async function pingAgent(question: PingQuestion, means: PingMeans): Promise<PingReply | undefined> {
  const url = readAgentUrl(question.url, means.guard);
  if (url.kind === 'unfit') return { kind: 'forbidden', reason: `${url.problem}; ${url.fix}` };
  const startedAt = performance.now();
  const wait = new TurnWait();
  const ending = await withinTime(means.timeoutMs, question.signal, async (signal) => {
    const lookUp = (name: string) => means.lookUp(name, { signal, onTurn: wait.onTurn });
    const found = await allowedAddresses(url.host, means.guard, lookUp);
    if (found.kind !== 'allowed') return found;
    const { access = PLAIN_HTTP } = question;
    const target = questionUrl(url.base, question.cursor);
    return guardedGet({ url: target, addresses: found.addresses, access, maxBytes: MAX_BYTES, signal });
  });
  if (ending.kind === 'stopped') return undefined;
  if (ending.kind === 'late') return late(means.timeoutMs, wait.ms);
  return replyOf(ending.value, question, { nowMs: means.now(), roundTripMs: performance.now() - startedAt });
}

/** Where the agent with this base URL is asked what happened since the cursor. */
export function questionUrl(base: string, cursor: Asked['cursor']): string {
  if (cursor === undefined) return `${base}${PATH}`;
  return `${base}${PATH}?${new URLSearchParams({ since: String(cursor.seq), boot_id: cursor.bootId })}`;
}

/** Time that the engine took for itself is no time that the agent had. */
function late(timeoutMs: number, waitedMs: number): PingReply {
  const seconds = timeoutMs / 1000;
  if (waitedMs < timeoutMs / 2) return { kind: 'unreachable', reason: `no whole answer within ${seconds} s` };
  const waited = (Math.min(waitedMs, timeoutMs) / 1000).toFixed(1);
  return {
    kind: 'forbidden',
    reason: `the engine's own name lookups are busy: ${waited} of ${seconds} s went by in waiting`,
  };
}

interface Moment {
  readonly nowMs: number;
  readonly roundTripMs: number;
}

type Brought = GuardedOutcome | { readonly kind: 'forbidden' | 'unknown'; readonly reason: string };

function replyOf(brought: Brought, question: PingQuestion, moment: Moment): PingReply {
  switch (brought.kind) {
    case 'answer':
      return answerReply(brought, question, moment);
    case 'garbled':
      return { kind: 'invalid', reason: brought.reason };
    case 'forbidden':
      return { kind: 'forbidden', reason: brought.reason };
    case 'unready':
      return { kind: 'forbidden', reason: `the engine cannot use its credentials: ${brought.reason}` };
    default:
      return { kind: 'unreachable', reason: brought.reason };
  }
}

function answerReply(answer: GuardedAnswer, question: PingQuestion, moment: Moment): PingReply {
  const { status, headers, text } = answer;
  if (status !== 200) return otherStatus(answer, moment.nowMs);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return { kind: 'invalid', reason: 'it compresses its answer without being asked' };
  const decoded = decodeAgentAnswer(text, askedBy(question, moment.nowMs));
  if (decoded.kind === 'invalid') return decoded;
  const agentMs = decoded.sentAtMs ?? dateOf(headers.date);
  const middleMs = moment.nowMs - answer.ageMs - answer.exchangeMs / 2;
  const clockSkewMs = agentMs === undefined ? undefined : Math.round(agentMs - middleMs);
  const { roundTripMs } = moment;
  return { kind: 'answered', answer: decoded.answer, roundTripMs, clockSkewMs };
}

// A clock that was set back since the last ping is the engine's own trouble.
function askedBy({ agentId, cursor, spanFromMs }: PingQuestion, nowMs: number): Asked {
  const isKnown = spanFromMs !== undefined && spanFromMs <= nowMs;
  return { agentId, cursor, spanMs: isKnown ? nowMs - spanFromMs : undefined };
}

// The header has no parts of seconds: on average half of one is cut off.
function dateOf(header: string | readonly string[] | undefined): number | undefined {
  const ms = Date.parse(String(header)) + 500;
  return Number.isNaN(ms) ? undefined : ms;
}

const GATEWAY_STATUS = [502, 504];

function otherStatus({ status, headers, text }: GuardedAnswer, nowMs: number): PingReply {
  if (status >= 300 && status < 400) return { kind: 'invalid', reason: redirectReason(status, headers.location) };
  if (GATEWAY_STATUS.includes(status)) return { kind: 'unreachable', reason: `a proxy before it answers ${status}` };
  const reason = status === 404 ? `it answers 404: nothing answers pings there (AGENT_MODE=true?)` : said(status, text);
  const isRefusal = (status >= 400 && status < 500) || status === 503;
  if (!isRefusal) return { kind: 'invalid', reason };
  return { kind: 'refused', reason, retryAfterMs: retryAfterMs(headers['retry-after'], nowMs) };
}

function said(status: number, text: string): string {
  return `it answers ${status}: ${excerpt(text)}`;
}

function redirectReason(status: number, location: unknown): string {
  return `it redirects (${status}) to ${excerpt(String(location ?? 'nowhere'))}; register the URL that answers itself`;
}
