/** The paths of a test agent: those of the exporter in agent mode, and what they answer. */
import { z } from 'zod';
import { type AnsweringAgent, gpuStatusAnswer, healthAnswer, uptimeAnswer } from './test-agent-answers.ts';
import { type Cursor, reportAt } from './test-agent-history.ts';

export interface AgentReply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const UPTIME_PATH = '/agent/uptime-since-last-ping';

type Route = (agent: AnsweringAgent, parameters: URLSearchParams) => AgentReply;

const ROUTES: Readonly<Record<string, Route>> = {
  [UPTIME_PATH]: uptimeReply,
  '/agent/gpu-status': (agent) => json(gpuStatusAnswer(agent)),
  '/agent/health': (agent) => json(healthAnswer(agent)),
  // Prometheus finds its target up, and no GPU: a made-up one would count in the decisions about real ones.
  '/metrics': () => ({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: '# A test agent has no GPU of its own.\n',
  }),
};

/** Undefined where test agents have no such path. */
export function agentRoute(path: string): Route | undefined {
  return Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
}

/** Whether this is a ping, which an agent that hangs leaves without an answer. */
export function isPing(path: string): boolean {
  return path === UPTIME_PATH;
}

export function problemReply(status: number, detail: string, more: object = {}): AgentReply {
  const body = JSON.stringify({ type: 'about:blank', status, detail, ...more });
  return { status, type: 'application/problem+json', body };
}

function json(body: object): AgentReply {
  return { status: 200, type: 'application/json', body: JSON.stringify(body) };
}

function uptimeReply(agent: AnsweringAgent, parameters: URLSearchParams): AgentReply {
  const query = [...parameters.keys()].map((name) => [name, onlyOrAll(parameters.getAll(name))]);
  const cursor = CURSOR.safeParse(Object.fromEntries(query));
  if (cursor.success) return json(uptimeAnswer(agent, reportAt(agent.life, agent.elapsedMs, cursor.data)));
  const errors = cursor.error.issues.flatMap(fieldErrors);
  return problemReply(400, 'The cursor cannot be understood; each entry of "errors" says what to change.', { errors });
}

function onlyOrAll(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : values;
}

const CURSOR = z
  .strictObject({
    since: z
      .string()
      .regex(/^\d{1,15}$/, 'not a whole number')
      .transform(Number)
      .optional(),
    boot_id: z.string().min(1).max(128).optional(),
  })
  .transform(({ since, boot_id: bootId }, context): Cursor | undefined => {
    if (since === undefined && bootId === undefined) return undefined;
    if (since !== undefined && bootId !== undefined) return { bootId, since };
    context.addIssue({ code: 'custom', path: [since === undefined ? 'since' : 'boot_id'], message: 'missing' });
    return z.NEVER;
  });

const BOTH_OR_NONE = 'give since and boot_id together, as the last answer said them, or neither';

function fieldErrors(issue: z.core.$ZodIssue) {
  if (issue.code === 'unrecognized_keys') {
    const fix = 'remove it; known are since and boot_id';
    return issue.keys.map((field) => ({ field, problem: 'unknown parameter', fix }));
  }
  return [{ field: String(issue.path[0] ?? 'query'), problem: issue.message, fix: BOTH_OR_NONE }];
}
