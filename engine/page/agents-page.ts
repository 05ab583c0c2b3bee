/** All agents at a glance, and one of them: how it stands, when it is asked next, and what its pings came to. */
import { divergenceOf } from '../core/ping/evidence.ts';
import { intervalReason } from '../core/ping/interval-reason.ts';
import type { PingPolicy } from '../core/ping/policy.ts';
import { durationText } from '../core/ping/reason.ts';
import type { PingRecord, PingState } from '../core/ping/state.ts';
import { percentDown } from '../core/reason.ts';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import { AGENT_STATUSES, statusOf } from '../ping/agent-status.ts';
import type { DivergentAgent, PingDashboard } from '../ping/dashboard.ts';
import { recoveryOf } from '../ping/recovery.ts';
import {
  agentLink,
  agentSearch,
  claimText,
  duenessText,
  latenessText,
  nextPing,
  pointsText,
  statusBadge,
  whenText,
} from './agent-words.ts';
import { instant, livePage, type Page } from './frame.ts';
import { type Html, html } from './html.ts';

export function agentsPage(dashboard: PingDashboard): Page {
  return livePage(
    'Agents',
    html`<h1>Agents</h1>
${suspicion(dashboard)}
${facts(dashboard)}
${agentSearch()}
<h2>By their last ping</h2>${statusTable(dashboard)}
<h2>Furthest from the base interval</h2>${worstTable(dashboard)}
<h2>Claims that differ from what Prometheus saw</h2>${divergentTable(dashboard)}`,
  );
}

function suspicion({ suspectSinceMs, policy }: PingDashboard): Html | undefined {
  if (suspectSinceMs === undefined) return undefined;
  const window = durationText(policy.suspect.windowMs);
  return html`<p class="banner"><strong>The engine suspects itself</strong> since ${instant(suspectSinceMs)}, because most agents failed at once.
No failure counts, and agents that fail are asked less often, until a whole ${window} has passed in which most did not: <a href="runbooks/GpuPingSelfSuspicion">what to do</a>.</p>`;
}

function facts(dashboard: PingDashboard): Html {
  const { atMs, total, isScheduling, due, inFlight, escalated, day, nextDueAtMs } = dashboard;
  const scheduler = isScheduling ? 'this engine' : 'others (PING_SCHEDULER=off), which hand in what came of it';
  return html`<dl>
<dt>registered</dt><dd>${total}, of which ${escalated} above the base interval</dd>
<dt>pinged by</dt><dd>${scheduler}</dd>
<dt>now</dt><dd>${due} due, ${inFlight} being asked</dd>
<dt>next ping</dt><dd>${nextDueAtMs === undefined ? 'none: no agent is registered' : nextPing(nextDueAtMs, { nowMs: atMs, isInFlight: false })}</dd>
<dt>begun late</dt><dd>${latenessText(dashboard)}</dd>
<dt>last 24 hours</dt><dd>${dayText(day)}</dd>
<dt>as of</dt><dd>${instant(atMs)}</dd>
</dl>`;
}

function dayText({ total, byOutcome, meanRoundTripMs }: PingDashboard['day']): string {
  if (total === 0) return 'no ping was decided';
  const roundTrip =
    meanRoundTripMs === undefined ? '' : `, answered after ${Math.round(meanRoundTripMs)} ms on average`;
  return `${total} pings decided, ${percentDown(byOutcome.good / total)}% of them good${roundTrip}`;
}

function statusTable({ byStatus }: PingDashboard): Html {
  const rows = AGENT_STATUSES.map(
    (status) =>
      html`<tr><td>${statusBadge(status)}</td><td class="number"><a href="ping-system/agents?status=${status}">${byStatus[status]}</a></td></tr>\n`,
  );
  return html`<table><tr><th>outcome</th><th class="number">agents</th></tr>
${rows}</table>`;
}

function worstTable({ worst, policy, atMs: nowMs, isInFlight }: PingDashboard): Html {
  if (worst.length === 0) return html`<p>Every agent is at the base interval.</p>`;
  const rows = worst.map((entry) => {
    const moment = { nowMs, isInFlight: isInFlight(entry.agent.id) };
    return html`<tr><td>${agentLink(entry.agent.id)} ${statusBadge(statusOf(entry.state))}</td>
<td class="number" data-label="interval">${durationText(entry.state.intervalMs)}</td>
<td data-label="next ping">${duenessText(entry.state.nextDueAtMs, moment)}</td>
<td data-label="back at base">${recoveryText(policy, entry, nowMs)}</td><td class="why">${entry.state.lastReason}</td></tr>\n`;
  });
  return html`<p class="muted">Back at base: how soon, if every ping from now on is good.</p>
<div class="scroll"><table class="stacked">
<tr><th>agent</th><th class="number">interval</th><th>next ping</th><th>back at base</th><th>why</th></tr>
${rows}</table></div>`;
}

function recoveryText(policy: PingPolicy, entry: RegisteredAgent, nowMs: number): string {
  const { pings, atMs } = recoveryOf(policy, entry, nowMs);
  if (atMs === undefined) return 'it is';
  return `${pings === 1 ? 'after 1 good ping' : `after ${pings} good pings`}, ${whenText(atMs, nowMs)}`;
}

function divergentTable({ divergent, policy }: PingDashboard): Html {
  if (divergent.length === 0) return html`<p>None: where both are known, they agree.</p>`;
  const rows = divergent.map(
    ({ entry: { agent }, evidence, divergence }: DivergentAgent) =>
      html`<tr><td>${agentLink(agent.id)}</td><td data-label="node">${agent.node}</td>
<td class="number" data-label="claimed">${claimText(policy, evidence.claimed)}</td>
<td class="number" data-label="observed">${claimText(policy, evidence.observed)}</td>
<td class="number" data-label="difference">${pointsText(divergence)}</td></tr>\n`,
  );
  return html`<div class="scroll"><table class="stacked">
<tr><th>agent</th><th>node</th><th class="number">claimed</th><th class="number">observed</th><th class="number">difference</th></tr>
${rows}</table></div>`;
}

export interface ShownAgent extends RegisteredAgent {
  readonly nowMs: number;
  readonly isInFlight: boolean;
  readonly policy: PingPolicy;
  /** Of the last 24 hours, the newest first. */
  readonly history: readonly PingRecord[];
}

export function agentPage(shown: ShownAgent): Page {
  const { agent, state, policy } = shown;
  return livePage(
    agent.id,
    html`<h1>${statusBadge(statusOf(state))} ${agent.id}</h1>
<p>${intervalReason(policy, state)}</p>
${standing(shown)}
<h2>As registered</h2>${registration(shown)}
<h2>Pings of the last 24 hours</h2>${historyTable(shown)}`,
  );
}

function standing({ agent, state, policy, nowMs, isInFlight }: ShownAgent): Html {
  const { clockSkewMs, nextDueAtMs, payDueAtMs, intervalMs, pings, goodInARow } = state;
  const isLookedAt = payDueAtMs > nextDueAtMs;
  const isBack = state.consecutivePoor === 0;
  return html`<dl>
<dt>next ping</dt><dd>${nextPing(nextDueAtMs, { nowMs, isInFlight })}</dd>
<dt>interval</dt><dd>${durationText(intervalMs)}${isLookedAt ? html`, which ends at ${instant(payDueAtMs)}` : undefined}</dd>
<dt>back at base</dt><dd>${recoveryText(policy, { agent, state }, nowMs)}${isBack ? undefined : ', if every ping from now on is good'}</dd>
<dt>pings</dt><dd>${goodInARow === 0 ? pings : `${pings}, the last ${goodInARow} of them good`}</dd>
<dt>Prometheus</dt><dd>${sightText(policy, state)}</dd>
<dt>clock</dt><dd>${clockText(clockSkewMs)}</dd>
</dl>`;
}

function sightText({ evidence }: PingPolicy, { seenAtMs, isUnseen }: PingState): Html | string {
  if (evidence === 'agent') return 'is not asked (ping.evidence: agent)';
  if (seenAtMs === undefined) return 'has not known a GPU of it so far';
  if (!isUnseen) return html`knew its GPUs at ${instant(seenAtMs)}`;
  return html`has known no GPU of it since ${instant(seenAtMs)}, so good pings do not count: <a
href="runbooks/GpuAgentUnseen">what to do</a>`;
}

function clockText(skewMs: number | undefined): string {
  if (skewMs === undefined) return 'not known: no answer has told it yet';
  if (Math.abs(skewMs) < 1000) return "agrees with the engine's to the second";
  return `${durationText(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} the engine's`;
}

function registration({ agent }: ShownAgent): Html {
  const { url, node, gpu, capabilities, metadata, registeredAtMs, updatedAtMs } = agent;
  return html`<dl>
<dt>address</dt><dd><code>${url}</code></dd>
<dt>node</dt><dd>${node}</dd>
<dt>GPU</dt><dd>${gpu ?? 'all of its node'}</dd>
<dt>capabilities</dt><dd>${capabilities.length === 0 ? 'none' : capabilities.join(', ')}</dd>
${Object.entries(metadata).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>\n`)}
<dt>registered</dt><dd>${instant(registeredAtMs)}</dd>
<dt>changed</dt><dd>${updatedAtMs === registeredAtMs ? 'never' : instant(updatedAtMs)}</dd>
</dl>`;
}

function historyTable({ agent, history, policy }: ShownAgent): Html {
  if (history.length === 0) return html`<p>None was decided.</p>`;
  const address = `ping-system/agents/${encodeURIComponent(agent.id)}/history?hours=24`;
  return html`<div class="scroll"><table class="stacked">
<tr><th>at</th><th>outcome</th><th class="number">claimed</th><th class="number">observed</th><th class="number">difference</th>
<th class="number">interval</th><th>why</th></tr>
${history.map((record) => historyRow(record, policy))}</table></div>
<p>The newest ${history.length}, <a href="${address}">as JSON</a>.</p>`;
}

function historyRow({ atMs, outcome, evidence, intervalMs, reason }: PingRecord, policy: PingPolicy): Html {
  return html`<tr><td>${instant(atMs)}</td><td>${statusBadge(outcome)}</td>
<td class="number" data-label="claimed">${claimText(policy, evidence?.claimed)}</td>
<td class="number" data-label="observed">${claimText(policy, evidence?.observed)}</td>
<td class="number" data-label="difference">${pointsText(evidence && divergenceOf(policy, evidence))}</td>
<td class="number" data-label="interval">${durationText(intervalMs)}</td><td class="why">${reason}</td></tr>\n`;
}
