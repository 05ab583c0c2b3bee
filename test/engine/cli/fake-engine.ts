/** A real HTTP server that answers as an engine would, from a table that the test fills and changes. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  /** Undefined without one. */
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  /** JSON, unless it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined never answers. */
type Answer = Reply | ((asked: Asked) => Reply | undefined | Promise<Reply | undefined>);

/** By method and path; `*` stands for one part of a path. */
export type Table = Record<string, Answer>;

export interface FakeEngine {
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
  readonly table: Table;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** The instant at which it answers, by its own clock. */
export const NOW = Date.parse('2026-01-05T12:00:00Z') / 1000;

export async function fakeEngine(table: Table): Promise<FakeEngine> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const [path = '', query = ''] = url.split('?');
    const body = await text(request);
    const one = { method, path, query, headers, body: body === '' ? undefined : JSON.parse(body) };
    asked.push(one);
    const answer = answerFor(table, one);
    const reply = typeof answer === 'function' ? await answer(one) : answer;
    if (reply === undefined) return;
    const { status = 200, body: sent, headers: more = {} } = reply;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, date: new Date(NOW * 1000).toUTCString(), ...more });
    response.end(typeof sent === 'string' ? sent : JSON.stringify(sent));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, env: { ENGINE_URL: url }, table, asked, close };
}

function answerFor(table: Table, { method, path }: Asked): Answer {
  const key = Object.keys(table).find((each) => isSame(each, `${method} ${path}`));
  const detail = `${method} ${path} does not exist; the README lists the endpoints`;
  return (key === undefined ? undefined : table[key]) ?? { status: 404, body: { detail } };
}

function isSame(pattern: string, path: string): boolean {
  const [wanted, found] = [pattern.split('/'), path.split('/')];
  return wanted.length === found.length && wanted.every((part, at) => part === '*' || part === found[at]);
}

/** An agent as an engine shows it, well unless said otherwise. */
export function agentEntry(id: string, { ping = {}, ...more }: Record<string, unknown> & { ping?: object } = {}) {
  return {
    agent_id: id,
    agent_url: `http://${id}.example:8001`,
    capabilities: ['gpu-compute', 'image-generation'],
    metadata: { gpu_model: 'RTX 4090', slots: 2, spot: true },
    node: `${id}.example:8001`,
    gpu: null,
    registered_at: NOW - 86_400,
    updated_at: NOW - 86_400,
    status: 'good',
    ping: {
      pings: 97,
      last_ping_at: NOW - 180,
      outcome: 'good',
      reason: 'uptime 99.9% ≥ 99% since 11:42:00Z (claimed 99.9%, observed 100%)',
      consecutive_poor: 0,
      good_in_a_row: 97,
      interval_seconds: 900,
      next_ping_at: NOW + 720,
      pay_interval_ends_at: NOW + 720,
      retries: 0,
      is_due: false,
      clock_skew_seconds: 0.02,
      recovery: { pings: 0, at: null },
      ...ping,
    },
    ...more,
  };
}

/** An agent that was poor twice. */
export function poorEntry(id: string) {
  return agentEntry(id, {
    status: 'poor',
    ping: {
      outcome: 'poor',
      reason: 'uptime 80% < 99% since 11:00:00Z (claimed 80%, observed 82.5%)',
      consecutive_poor: 2,
      good_in_a_row: 0,
      interval_seconds: 3600,
      next_ping_at: NOW + 3000,
      pay_interval_ends_at: NOW + 3000,
      recovery: { pings: 2, at: NOW + 4800 },
    },
  });
}

/** Everything that a terminal must not get to see as it is. */
export const HOSTILE = 'evil\u001b[2J\u001b]0;title\u0007\u0000\u009b31m\u202Edlrow\r\nnext';

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A dashboard as an engine shows it. */
export function dashboardAnswer({ agents = {}, ...more }: Record<string, unknown> & { agents?: object } = {}) {
  return {
    generated_at: NOW,
    scheduler: 'engine',
    suspect: false,
    suspect_since: null,
    agents: {
      total: 128,
      by_status: {
        good: 120,
        unobserved: 0,
        never_pinged: 2,
        poor: 3,
        no_gpu: 1,
        refused: 0,
        invalid: 0,
        unreachable: 2,
      },
      due: 4,
      in_flight: 2,
      escalated: 6,
      never_pinged: 2,
      ...agents,
    },
    lag_seconds: 0.204,
    worst_lag_seconds: 1.3,
    pings_24h: { total: 12_288, by_outcome: { good: 12_190, poor: 90, no_gpu: 8 }, mean_round_trip_seconds: 0.0123 },
    next_due_at: NOW + 12,
    worst: [],
    divergent: [],
    ...more,
  };
}
