/** Gateways ask here: GET /api/v1/gate/{forward|envoy|nginx}/{capability}. Answered from memory, without express. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActionBook } from '../core/action-book.ts';
import { type Basis, decide, type Outcome, type Question } from '../core/decision.ts';
import { clearsAtIfHealthy, decisionId, explain } from '../core/explain.ts';
import { type GateAnswer, gateAnswer } from '../core/gate-answer.ts';
import type { GateStats } from '../metrics/own.ts';
import { Problem, problemBody } from './problem.ts';
import { type Filters, questionFor } from './question.ts';
import type { EngineView } from './view.ts';

const FLAVOURS = ['forward', 'envoy', 'nginx'] as const;
type Flavour = (typeof FLAVOURS)[number];

const PREFIX = '/api/v1/gate/';

/** Answers gate requests and says so; every other request is left to the caller. */
export function createGate({
  view,
  stats,
  onFault,
}: GateParts): (req: IncomingMessage, res: ServerResponse) => boolean {
  const gate: Gate = { view, stats, onFault, denials: new Map(), explainedBy: undefined };
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(PREFIX)) return false;
    const route = parseRoute(url, req);
    if (route === undefined) return false;
    answer(gate, route, res);
    return true;
  };
}

export interface GateParts {
  readonly view: EngineView;
  readonly stats: GateStats;
  /** Told of what should never happen. */
  readonly onFault: (error: unknown) => void;
}

interface Gate extends GateParts {
  /** Denials explained lately. */
  readonly denials: Map<string, Denial>;
  /** The actions that were known when they were explained. */
  explainedBy: ActionBook | undefined;
}

/** What a denial says besides the time: the same until the next tick or alert, or until it rests on something else. */
interface Denial {
  readonly reason: string;
  readonly multiplier: number;
  readonly clearsAtMs: number | undefined;
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

function answer(gate: Gate, { flavour, filters }: Route, res: ServerResponse): void {
  const { view, stats } = gate;
  try {
    const question = questionFor(view, filters);
    const { plan, state } = view.judged();
    const outcome = decide(plan, state, question);
    const told = gateAnswer(outcome);
    count(stats, flavour, told.status === 200);
    if (told.status === 200) allow(view, question, outcome, res);
    else deny(gate, { question, outcome, flavour, ...told }, res);
  } catch (error) {
    count(stats, flavour, false);
    refuse(error instanceof Problem ? error : faultOf(gate, error), flavour, res);
  }
}

/** A fault of ours must not end the process that every other gateway asks. */
function faultOf({ onFault }: Gate, error: unknown): Problem {
  onFault(error);
  return new Problem(500, 'the engine failed to decide; its log says why');
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
    'x-decision-id': decisionId(plan, state, question, outcome.basis),
    ...(outcome.isStale ? { 'x-decision-stale': 'true' } : {}),
    ...actionHeader(outcome),
  });
  res.end();
}

/** What the gateway may pass on to a scheduler; an alert that only notifies asks nothing of it. */
function actionHeader({ action }: Outcome): Record<string, string> {
  return action === undefined || action === 'notify' ? {} : { 'x-gpu-action': action };
}

type Denied = Exclude<GateAnswer, { readonly status: 200 }> & {
  readonly question: Question;
  readonly outcome: Outcome;
  readonly flavour: Flavour;
};

function deny(
  gate: Gate,
  { question, outcome, flavour, status, retryAfterSeconds }: Denied,
  res: ServerResponse,
): void {
  const { plan, state } = gate.view.judged();
  const id = decisionId(plan, state, question, outcome.basis);
  const { reason, multiplier, clearsAtMs } = denialOf(gate, question, `${id} ${basisKey(outcome.basis)}`);
  const extra = {
    decision_id: id,
    wait_time_seconds: retryAfterSeconds,
    multiplier,
    consecutive_failures: outcome.episode?.failures ?? 0,
    clears_at_if_healthy: clearsAtMs === undefined ? undefined : clearsAtMs / 1000,
    stale: outcome.isStale,
    action: outcome.action,
  };
  // Not thrown, so not an Error: recording a stack costs more than the rest of the answer.
  const problem: Problem = { name: 'Problem', status, message: reason, extra };
  const headers = { 'retry-after': String(retryAfterSeconds), 'x-decision-id': id, ...actionHeader(outcome) };
  refuse(problem, flavour, res, headers);
}

const MAX_DENIALS = 10_000;

/** Explaining walks over whole windows, and a denied client asks again and again: each denial is explained once. */
function denialOf(gate: Gate, question: Question, key: string): Denial {
  const { view, denials } = gate;
  if (gate.explainedBy !== question.actions) denials.clear();
  gate.explainedBy = question.actions;
  const known = denials.get(key);
  if (known !== undefined) return known;
  const { plan, state } = view.judged();
  const { reason, multiplier } = explain(plan, state, question);
  const clearsAtMs = clearsAtIfHealthy(plan, state, question);
  if (denials.size >= MAX_DENIALS) denials.clear();
  const denial = { reason, multiplier, clearsAtMs };
  denials.set(key, denial);
  return denial;
}

/** What a reason depends on besides the decision id, which names policy, tick, capability and subject. */
function basisKey(basis: Basis): string {
  if (basis.kind === 'hold') return `hold ${basis.hold.id}`;
  return basis.kind === 'stale' ? `stale ${Math.round((basis.ageMs ?? -1) / 1000)}` : basis.kind;
}

/**
 * nginx's auth_request passes on nothing but 401 and 403, so its flavour always denies with 403 and names the real
 * status in a header that `error_page` can use.
 */
function refuse(problem: Problem, flavour: Flavour, res: ServerResponse, headers: Record<string, string> = {}): void {
  const denied = [429, 500].includes(problem.status) ? problem.status : 403;
  const status = flavour === 'nginx' ? 403 : denied;
  const body = problemBody({ ...problem, message: problem.message, status });
  res.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-decision-status': String(denied),
    'x-decision-reason': problem.message.replace(/[^\x20-\x7e]/g, '?'),
    ...headers,
  });
  res.end(body);
}
