/** `gpu-uptime agents list`: the registered agents that match, as a table or as JSON. */
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import type { CommandIo } from '../command.ts';
import { AgentAnswer, agentsPage, Whole } from '../engine-answers.ts';
import type { EngineClient } from '../engine-client.ts';
import { plainJson } from '../plain-text.ts';
import { textTable } from '../text-table.ts';
import { nextPingText, spanText } from '../time-text.ts';
import { misunderstood, type Outcome, wholeNumber, withEngine } from './outcome.ts';
import { collectPages, type Page } from './pages.ts';

const OPTIONS = {
  'server-url': { type: 'string' },
  capability: { type: 'string' },
  status: { type: 'string' },
  search: { type: 'string' },
  due: { type: 'boolean', default: false },
  limit: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

interface Question {
  readonly client: EngineClient;
  readonly filter: Readonly<Record<string, string>>;
  readonly most: number;
}

export async function listAgents(args: readonly string[], io: CommandIo): Promise<Outcome> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { capability, status, search: q, due, limit, json } = values;
  const most = limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber(limit);
  if (Number.isNaN(most)) return misunderstood(`--limit needs a number from 1 on, and is "${limit}"`);
  const given = Object.entries({ capability, status, q, due: due ? 'true' : undefined });
  const filter = Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
  return withEngine(values['server-url'], io, (client) => (json ? asJson : asTable)({ client, filter, most }));
}

interface AgentsPage<T> extends Page<T> {
  readonly total: number;
}

function ask<T>({ client, filter, most }: Question, schema: z.ZodType<AgentsPage<T>>) {
  return collectPages<T, AgentsPage<T>>(most, (after, limit) => {
    const query = new URLSearchParams({ ...filter, limit: String(limit), ...(after === undefined ? {} : { after }) });
    return client.ask({ path: `/ping-system/agents?${query}`, schema });
  });
}

async function asJson(question: Question): Promise<Outcome> {
  const found = await ask(question, agentsPage(Whole));
  if (found.kind === 'failure') return found;
  const { items: agents, last } = found;
  return { kind: 'done', code: 0, text: plainJson({ total: last.total, count: agents.length, agents }) };
}

async function asTable(question: Question): Promise<Outcome> {
  const found = await ask(question, agentsPage(AgentAnswer));
  if (found.kind === 'failure') return found;
  const { items: agents, last, atMs } = found;
  if (agents.length === 0) return { kind: 'done', code: 0, text: noneText(question) };
  const rows = agents.map((agent) => rowOf(agent, atMs / 1000));
  const text = [...textTable([HEADINGS, ...rows]), '', countText(agents.length, last.total)].join('\n');
  return { kind: 'done', code: 0, text };
}

const HEADINGS = ['AGENT', 'STATUS', 'POOR', 'INTERVAL', 'NEXT PING', 'CAPABILITIES', 'REASON'];

function rowOf({ agent_id: id, status, capabilities, ping }: AgentAnswer, nowSeconds: number): readonly string[] {
  return [
    id,
    status.replaceAll('_', ' '),
    String(ping.consecutive_poor),
    spanText(ping.interval_seconds),
    nextPingText(ping, nowSeconds),
    capabilities.join(','),
    ping.reason ?? '',
  ];
}

function noneText({ filter }: Question): string {
  return Object.keys(filter).length === 0 ? 'No agent is registered.' : 'No agent matches.';
}

function countText(shown: number, total: number): string {
  if (shown < total) return `${shown} of ${total} agents; --limit was reached.`;
  return `${shown} ${shown === 1 ? 'agent' : 'agents'}.`;
}
