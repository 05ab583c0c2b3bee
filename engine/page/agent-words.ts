/** How pages say what agents are, claim and wait for. */
import type { UptimeClaim } from '../core/ping/outcome.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import { durationText } from '../core/ping/reason.ts';
import { percentDown } from '../core/reason.ts';
import type { AgentStatus } from '../ping/agent-status.ts';
import type { PingDashboard } from '../ping/dashboard.ts';
import { instant } from './frame.ts';
import { type Html, html } from './html.ts';

/** Class of the badge: green, yellow, red, or grey where nothing is known. */
const COLOUR: Readonly<Record<AgentStatus, string>> = {
  good: 'ok',
  unobserved: '',
  never_pinged: '',
  poor: 'pending',
  no_gpu: 'pending',
  refused: 'err',
  invalid: 'err',
  unreachable: 'err',
};

export function statusBadge(status: AgentStatus): Html {
  return html`<span class="badge ${COLOUR[status]}">${status.replaceAll('_', ' ')}</span>`;
}

export function agentLink(id: string): Html {
  return html`<a href="ping-system/agents/${encodeURIComponent(id)}">${id}</a>`;
}

/** A form that leads to the list of agents, with what was searched for. */
export function agentSearch(text?: string): Html {
  return html`<form action="ping-system/agents"><p><label>Find agents: <input type="search" name="q" value="${text}" required></label>
<button>Search</button> <a href="ping-system/agents?due=true">due now</a> <a href="ping-system/agents">all</a></p></form>`;
}

/** `in 12m`, or `due for 3s`. */
export function whenText(atMs: number, nowMs: number): string {
  const waitMs = Math.round((atMs - nowMs) / 1000) * 1000;
  if (waitMs === 0) return 'now';
  return waitMs > 0 ? `in ${durationText(waitMs)}` : `due for ${durationText(-waitMs)}`;
}

/** When an agent is asked next, in words; whoever is being asked right now is not late. */
export function duenessText(atMs: number, { nowMs, isInFlight }: Moment): string {
  return isInFlight ? 'being asked' : whenText(atMs, nowMs);
}

interface Moment {
  readonly nowMs: number;
  readonly isInFlight: boolean;
}

export function nextPing(atMs: number, moment: Moment): Html {
  return html`${instant(atMs)} <span class="muted">${duenessText(atMs, moment)}</span>`;
}

/** `the newest by 40 ms, the latest of the last minute by 1.3 s`. */
export function latenessText({ lagMs, worstLagMs }: Pick<PingDashboard, 'lagMs' | 'worstLagMs'>): string {
  if (lagMs === undefined) return 'no ping has begun since the engine started';
  const worst = worstLagMs === undefined ? '' : `, the latest of the last minute by ${shortText(worstLagMs)}`;
  return `the newest by ${shortText(lagMs)}${worst}`;
}

function shortText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : durationText(ms);
}

/** `95.2%`, with the watched share of the time where that was too small to count. */
export function claimText({ minCoverage }: PingPolicy, claim: UptimeClaim | undefined): string {
  if (claim?.uptime === undefined) return '–';
  const { uptime, coverage } = claim;
  return coverage >= minCoverage
    ? `${percentDown(uptime)}%`
    : `${percentDown(uptime)}% (${percentDown(coverage)}% seen)`;
}

/** A difference of two shares in percentage points: `+14.8 pp`. */
export function pointsText(difference: number | undefined): string {
  if (difference === undefined) return '–';
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference * 100).toFixed(1)} pp`;
}
