/** A page of the list of agents, by id: those that match what was asked for. */
import { durationText } from '../core/ping/reason.ts';
import type { AgentPage } from '../ping/agent-index.ts';
import { statusOf } from '../ping/agent-status.ts';
import { agentLink, agentSearch, duenessText, statusBadge } from './agent-words.ts';
import { livePage, type Page } from './frame.ts';
import { type Html, html } from './html.ts';

export interface AgentList extends AgentPage {
  /** As it was asked for: capability, status, q, due, limit. */
  readonly query: Readonly<Record<string, string>>;
  readonly nowMs: number;
  readonly isInFlight: (agentId: string) => boolean;
}

export function agentListPage(list: AgentList): Page {
  const { agents, total, next, query } = list;
  const { q, after: _, ...rest } = query;
  const narrowed = Object.entries(rest).map(([name, value]) => html` <code>${name}=${value}</code>`);
  return livePage(
    'Agents',
    html`<h1>Agents</h1>
${agentSearch(q)}
<p>${total === 1 ? '1 agent matches' : `${total} agents match`}${narrowed}</p>
${agents.length === 0 ? undefined : table(list)}
${next === undefined ? undefined : html`<p><a href="${nextAddress(query, next)}">more</a></p>`}`,
  );
}

function nextAddress(query: AgentList['query'], next: string): string {
  return `ping-system/agents?${new URLSearchParams({ ...query, after: next })}`;
}

function table({ agents, nowMs, isInFlight }: AgentList): Html {
  const rows = agents.map(({ agent, state }) => {
    const moment = { nowMs, isInFlight: isInFlight(agent.id) };
    return html`<tr><td>${agentLink(agent.id)} ${statusBadge(statusOf(state))}</td><td data-label="node">${agent.node}</td>
<td class="number" data-label="interval">${durationText(state.intervalMs)}</td>
<td data-label="next ping">${duenessText(state.nextDueAtMs, moment)}</td><td class="why">${state.lastReason}</td></tr>\n`;
  });
  return html`<div class="scroll"><table class="stacked">
<tr><th>agent</th><th>node</th><th class="number">interval</th><th>next ping</th><th>why</th></tr>
${rows}</table></div>`;
}
