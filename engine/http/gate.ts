/** Gateways ask here: GET /api/v1/gate/{forward|envoy|nginx}/{capability}. Answered from memory, without express. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decide, type Outcome, type Question } from '../core/decision.ts';
import { decisionId, explain } from '../core/explain.ts';
import type { GateStats } from '../metrics/own.ts';
import { Problem, problemBody } from './problem.ts';
import { type Filters, questionFor } from './question.ts';
import type { EngineView } from './view.ts';

const FLAVOURS = ['forward', 'envoy', 'nginx'] as const;
type Flavour = (typeof FLAVOURS)[number];

const PREFIX = '/api/v1/gate/';

/** Answers gate requests and says so; every other request is left to the caller. */
export function createGate(view: EngineView, stats: GateStats): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(PREFIX)) return false;
    const route = parseRoute(url, req);
    if (route === undefined) return false;
    answer(view, stats, route, res);
    return true;
  };
}

interface Route {
  readonly flavour: Flavour;
  readonly filters: Filters;
}

/**
 * `forward` and `nginx` gateways write the whole address, so node and gpu come from its query. Envoy appends the
 * client's own path and query, so there they come only from headers that the gateway sets.
 */
function parseRoute(url: string, req: IncomingMessage): Route | undefined {
  const [path = '', query = ''] = splitOnce(url.slice(PREFIX.length), '?');
  const [name = '', rest = ''] = splitOnce(path, '/');
  const flavour = FLAVOURS.find((known) => known === name);
  const capability = decodeSegment(splitOnce(rest, '/')[0] ?? '');
  if (flavour === undefined || capability === undefined) return undefined;
  if (flavour === 'envoy')
    return { flavour, filters: { capability, node: header(req, 'x-gpu-node'), gpu: header(req, 'x-gpu-uuid') } };
  if (query === '') return { flavour, filters: { capability } };
  const params = new URLSearchParams(query);
  return {
    flavour,
    filters: { capability, node: params.get('node') ?? undefined, gpu: params.get('gpu') ?? undefined },
  };
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decodeSegment(segment: string): string | undefined {
  if (segment === '') return undefined;
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function answer(view: EngineView, stats: GateStats, { flavour, filters }: Route, res: ServerResponse): void {
  try {
    const question = questionFor(view, filters);
    const { plan, state } = view.judged();
    const outcome = decide(plan, state, question);
    count(stats, flavour, outcome.canProcess);
    if (outcome.canProcess) allow(view, question, outcome, res);
    else deny(view, question, flavour, res);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    count(stats, flavour, false);
    refuse(error, flavour, res);
  }
}

function count({ answers }: GateStats, flavour: Flavour, isAllowed: boolean): void {
  const key = isAllowed ? `${flavour} allow` : `${flavour} deny`;
  answers.set(key, (answers.get(key) ?? 0) + 1);
}

/** Exactly 200 with an empty body: Envoy and the Gateway API take nothing else for an allow. */
function allow(view: EngineView, question: Question, outcome: Outcome, res: ServerResponse): void {
  const { plan, state } = view.judged();
  res.writeHead(200, {
    'content-length': '0',
    'cache-control': 'no-store',
    'x-decision-id': decisionId(plan, state, question),
    ...(outcome.isStale ? { 'x-decision-stale': 'true' } : {}),
  });
  res.end();
}

function deny(view: EngineView, question: Question, flavour: Flavour, res: ServerResponse): void {
  const { plan, state } = view.judged();
  const { id, outcome, reason, multiplier, clearsAtMs } = explain(plan, state, question);
  const waitSeconds = Math.max(1, Math.ceil(outcome.waitMs / 1000));
  const problem = new Problem(429, reason, {
    decision_id: id,
    wait_time_seconds: waitSeconds,
    multiplier,
    consecutive_failures: outcome.episode?.failures ?? 0,
    ...(clearsAtMs === undefined ? {} : { clears_at_if_healthy: clearsAtMs / 1000 }),
    stale: outcome.isStale,
  });
  refuse(problem, flavour, res, { 'retry-after': String(waitSeconds), 'x-decision-id': id });
}

/**
 * nginx's auth_request passes on nothing but 401 and 403, so its flavour always denies with 403 and names the real
 * status in a header that `error_page` can use.
 */
function refuse(problem: Problem, flavour: Flavour, res: ServerResponse, headers: Record<string, string> = {}): void {
  const denied = problem.status === 429 ? 429 : 403;
  const body = problemBody(problem);
  res.writeHead(flavour === 'nginx' ? 403 : denied, {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-decision-status': String(denied),
    'x-decision-reason': problem.message.replace(/[^\x20-\x7e]/g, '?'),
    ...headers,
  });
  res.end(body);
}
