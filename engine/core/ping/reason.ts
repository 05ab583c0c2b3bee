/** Why a ping came to what it came to, in one short sentence with the figures. */
import { isoSecond } from '../instant.ts';
import { percentDown, plainNumber } from '../reason.ts';
import { type Weighed, weighEvidence } from './evidence.ts';
import type { PingEvidence, PingReply, UptimeClaim } from './outcome.ts';
import type { PingPolicy } from './policy.ts';

const DAY_MS = 86_400_000;

/** `12:00:00Z`, with the date where the time alone would be ambiguous at `nowMs`. */
function instantText(ms: number, nowMs: number): string {
  const text = isoSecond(ms);
  return Math.abs(nowMs - ms) < DAY_MS ? text.slice(text.indexOf('T') + 1) : text;
}

/** `uptime 95.2% < 99% since 12:00:00Z (claimed 99.9%, observed 95.2%)`. */
export function uptimeReason(policy: PingPolicy, evidence: PingEvidence, uptime: number, sign: '<' | '≥'): string {
  const threshold = plainNumber(policy.uptimeThreshold * 100);
  const span = `since ${instantText(evidence.fromMs, evidence.toMs)}`;
  return `uptime ${percentDown(uptime)}% ${sign} ${threshold}% ${span} (${sidesText(policy, evidence)})`;
}

/** `the engine itself was away for 10m of it, so it does not count`. */
export function outageReason(outageMs: number): string {
  return `the engine itself was away for ${durationText(outageMs)} of it, so it does not count`;
}

/** `nothing is known since 12:00:00Z (claimed nothing, observed for 12.0% of it)`. */
export function unknownReason(policy: PingPolicy, evidence: PingEvidence): string {
  const span = `since ${instantText(evidence.fromMs, evidence.toMs)}`;
  return `nothing is known ${span} (${sidesText(policy, evidence)})`;
}

/** `Prometheus watched, and has not known a GPU of it since 12:00:00Z; its own word alone does not count for …`. */
export function unseenReason(seenAtMs: number, nowMs: number): string {
  const since = instantText(seenAtMs, nowMs);
  return `Prometheus watched, and has not known a GPU of it since ${since}; its own word alone does not count for an agent that was seen before`;
}

function sidesText(policy: PingPolicy, evidence: PingEvidence): string {
  const weighed = weighEvidence(policy, evidence);
  const sides = [
    policy.evidence === 'prometheus' ? [] : sideText('claimed', weighed, evidence.claimed),
    policy.evidence === 'agent' ? [] : sideText('observed', weighed, evidence.observed),
  ];
  return sides.flat().join(', ');
}

function sideText(side: 'claimed' | 'observed', weighed: Weighed, claim: UptimeClaim | undefined): string {
  const uptime = weighed[side];
  if (uptime !== undefined) return `${side} ${percentDown(uptime)}%`;
  const coverage = claim?.uptime === undefined ? 0 : claim.coverage;
  return coverage > 0 ? `${side} for ${percentDown(coverage)}% of it` : `${side} nothing`;
}

type Failure = Extract<PingReply, { readonly kind: 'unreachable' | 'refused' | 'invalid' }>;

const FAILED: Record<Failure['kind'], string> = {
  unreachable: 'unreachable',
  refused: 'refused',
  invalid: 'no valid answer',
};

export interface Failing {
  readonly reply: Failure;
  /** How often it was asked in vain, this time included. */
  readonly asked: number;
  readonly sinceMs: number;
  readonly atMs: number;
}

/** `unreachable since 12:00:00Z, asked 4 times: connection refused`. */
export function failureReason({ reply, asked, sinceMs, atMs }: Failing): string {
  const what = FAILED[reply.kind];
  const how = asked > 1 ? ` since ${instantText(sinceMs, atMs)}, asked ${asked} times` : '';
  return `${what}${how}: ${excerpt(reply.reason)}`;
}

const LONGEST_EXCERPT = 200;

/** Somebody else's words: one line of bounded length, whatever was sent. */
export function excerpt(words: string): string {
  const line = words
    .slice(0, LONGEST_EXCERPT)
    .replace(/\p{C}+/gu, ' ')
    .trim();
  return line === '' ? 'no reason given' : line;
}

/** A length of time in its two largest units: `24h`, `1m30s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const text = parts.filter(([count]) => count > 0).slice(0, 2);
  return text.length === 0 ? `${ms}ms` : text.map(([count, unit]) => `${count}${unit}`).join('');
}
