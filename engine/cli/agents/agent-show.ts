/** `gpu-uptime agents show`: one agent, where it stands and why, and what its pings came to. */
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import type { CommandIo } from '../command.ts';
import { AgentAnswer, HistoryPing, historyPage, Whole } from '../engine-answers.ts';
import type { EngineClient } from '../engine-client.ts';
import { plainJson } from '../plain-text.ts';
import { textTable } from '../text-table.ts';
import { agoText, dueText, instantText, nextPingText, spanText } from '../time-text.ts';
import { agentPath, isOutcome, misunderstood, type Outcome, onlyId, withEngine } from './outcome.ts';
import { collectPages, type Page } from './pages.ts';

const OPTIONS = {
  'server-url': { type: 'string' },
  hours: { type: 'string', default: '24' },
  json: { type: 'boolean', default: false },
} as const;

interface Question {
  readonly client: EngineClient;
  readonly id: string;
  readonly hours: string;
}

export async function showAgent(args: readonly string[], io: CommandIo): Promise<Outcome> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const { hours, json } = values;
  const named = onlyId('show', positionals);
  if (isOutcome(named)) return named;
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(hours) || Number(hours) === 0)
    return misunderstood(`--hours needs a number above 0, and is "${hours}"`);
  return withEngine(values['server-url'], io, (client) => (json ? asJson : asText)({ client, id: named.id, hours }));
}

function askHistory<T>({ client, id, hours }: Question, schema: z.ZodType<Page<T>>) {
  return collectPages<T, Page<T>>(Number.POSITIVE_INFINITY, (before, limit) => {
    const query = new URLSearchParams({ hours, limit: String(limit), ...(before === undefined ? {} : { before }) });
    return client.ask({ path: agentPath(id, `/history?${query}`), schema });
  });
}

async function asJson(question: Question): Promise<Outcome> {
  const agent = await question.client.ask({ path: agentPath(question.id), schema: Whole });
  if (agent.kind === 'failure') return agent;
  const history = await askHistory(question, historyPage(Whole));
  if (history.kind === 'failure') return history;
  const whole = { agent: agent.value, hours: Number(question.hours), pings: history.items };
  return { kind: 'done', code: 0, text: plainJson(whole) };
}

async function asText(question: Question): Promise<Outcome> {
  const agent = await question.client.ask({ path: agentPath(question.id), schema: AgentAnswer });
  if (agent.kind === 'failure') return agent;
  const history = await askHistory(question, historyPage(HistoryPing));
  if (history.kind === 'failure') return history;
  const lines = [...agentLines(agent.value, agent.atMs / 1000), '', ...historyLines(history.items, question.hours)];
  return { kind: 'done', code: 0, text: lines.join('\n') };
}

/** Where an agent stands, as names and values. */
function agentLines(agent: AgentAnswer, nowSeconds: number): readonly string[] {
  const { ping } = agent;
  const said = Object.entries(agent.metadata).map(([key, value]) => `${key}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['url', agent.agent_url],
    ['status', agent.status.replaceAll('_', ' ')],
    ['why', ping.reason ?? undefined],
    ['interval', intervalText(ping, nowSeconds)],
    ['next ping', `${nextPingText(ping, nowSeconds)}, ${instantText(ping.next_ping_at)}`],
    ['retries', ping.retries === 0 ? undefined : `${ping.retries}: a failure is confirmed before it counts`],
    ['recovery', recoveryText(ping, nowSeconds)],
    ['last ping', lastText(ping, nowSeconds)],
    ['pings', `${ping.pings} decided, ${ping.good_in_a_row} good in a row`],
    ['clock', skewText(ping.clock_skew_seconds)],
    ['capabilities', agent.capabilities.join(', ') || undefined],
    ['speaks for', agent.gpu === null ? `the GPUs of ${agent.node}` : `${agent.gpu} of ${agent.node}`],
    ['metadata', said.join(', ') || undefined],
    ['registered', instantText(agent.registered_at)],
    ['changed', agent.updated_at === agent.registered_at ? undefined : instantText(agent.updated_at)],
  ];
  const known = facts.flatMap(([name, value]) => (value === undefined ? [] : [[`  ${name}`, value]]));
  return [agent.agent_id, ...textTable(known)];
}

type Ping = AgentAnswer['ping'];

function intervalText(ping: Ping, nowSeconds: number): string {
  const interval = spanText(ping.interval_seconds);
  const poor = ping.consecutive_poor;
  const why = poor === 0 ? 'the base interval' : `after ${poor} poor ${poor === 1 ? 'ping' : 'pings'}`;
  // An agent may be looked at more often than the interval that it is paid at.
  const isApart = ping.pay_interval_ends_at >= ping.next_ping_at + 1;
  return `${interval}, ${why}${isApart ? `; runs out ${dueText(ping.pay_interval_ends_at, nowSeconds)}` : ''}`;
}

function lastText({ last_ping_at: at }: Ping, nowSeconds: number): string | undefined {
  return at === null ? undefined : `${agoText(at, nowSeconds)}, ${instantText(at)}`;
}

function recoveryText({ recovery: { pings, at } }: Ping, nowSeconds: number): string | undefined {
  if (pings === 0) return undefined;
  const when = at === null ? '' : `, ${dueText(at, nowSeconds)}`;
  const count = pings === 1 ? 'the next one' : `${pings} of them`;
  return `if every ping from now on is good, the base interval is back after ${count}${when}`;
}

function skewText(seconds: number | null): string | undefined {
  if (seconds === null) return undefined;
  const size = spanText(Math.abs(seconds));
  if (seconds === 0) return "the same as the engine's";
  return `${size} ${seconds > 0 ? 'ahead of' : 'behind'} the engine's`;
}

const HEADINGS = ['WHEN', 'OUTCOME', 'UPTIME', 'POOR', 'INTERVAL', 'ANSWERED IN', 'REASON'];

function historyLines(pings: readonly HistoryPing[], hours: string): readonly string[] {
  const span = hours === '1' ? 'hour' : `${hours} hours`;
  if (pings.length === 0) return [`No ping in the last ${span}.`];
  const head = `${pings.length} ${pings.length === 1 ? 'ping' : 'pings'} in the last ${span}, the newest first:`;
  return [head, '', ...textTable([HEADINGS, ...pings.map(historyRow)])];
}

function historyRow(ping: HistoryPing): readonly string[] {
  return [
    instantText(ping.at),
    ping.outcome.replaceAll('_', ' '),
    ping.uptime_percentage === null ? '' : `${ping.uptime_percentage}%`,
    String(ping.consecutive_poor),
    spanText(ping.interval_seconds),
    ping.round_trip_seconds === null ? '' : spanText(ping.round_trip_seconds),
    ping.reason,
  ];
}
