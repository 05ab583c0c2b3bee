/** Why an engine could not be asked, in one sentence with what to do. */
import { z } from 'zod';
import { messageOf } from '../text/message-of.ts';
import { plainText } from './plain-text.ts';

export interface EngineFailure {
  readonly kind: 'failure';
  /** Undefined when there was no answer at all. */
  readonly status: number | undefined;
  readonly text: string;
  /** What is wrong with the fields of a body, as the engine says it. */
  readonly fields: readonly FieldProblem[];
}

interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** What was asked. */
export interface Exchange {
  readonly base: string;
  readonly method: string;
  readonly path: string;
  /** Whether a bearer token was sent. */
  readonly hasToken: boolean;
}

const words = z.string().transform(plainText);

// Problems of RFC 9457, as the engine writes them.
const PROBLEM = z.object({
  detail: words,
  errors: z.array(z.object({ field: words, problem: words })).catch([]),
});

export function unreachableFailure({ base }: Exchange, error: unknown): EngineFailure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = messageOf(cause) || (cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given');
  return failure(
    `No engine answers at ${base} (${plainText(why)}); start one with npm start, or name its address with --server-url or ENGINE_URL.`,
  );
}

export function slowFailure({ base, method, path }: Exchange, timeoutMs: number): EngineFailure {
  return failure(
    `The engine at ${base} gave no whole answer to ${method} ${path} within ${timeoutMs / 1000} s; its log says what keeps it, and the same may work a little later.`,
  );
}

export function sizeFailure({ base, method, path }: Exchange, maxBytes: number): EngineFailure {
  return failure(
    `What answers at ${base} sends more than ${maxBytes / 2 ** 20} MiB for ${method} ${path}: is --server-url really an engine of gpu-uptime?`,
  );
}

export function redirectFailure({ base }: Exchange, status: number, location: string | null): EngineFailure {
  const target = plainText(location ?? 'nowhere');
  return failure(`${base} sends on to ${target} (HTTP ${status}); give the address that answers itself.`, status);
}

/** An answer that is no JSON, or not the JSON of an engine. */
export function unlikeFailure({ base, method, path }: Exchange, error: z.ZodError | undefined): EngineFailure {
  const [issue] = error?.issues ?? [];
  const what =
    issue === undefined ? 'is no JSON' : plainText(`${issue.path.join('.') || 'as a whole'}: ${issue.message}`);
  return failure(
    `What answers at ${base} does not answer ${method} ${path} as an engine does (${what}): is it gpu-uptime, and of this version?`,
  );
}

/** An answer that says no. */
export function problemFailure(
  { base, method, path, hasToken }: Exchange,
  status: number,
  body: unknown,
): EngineFailure {
  const { data: problem } = PROBLEM.safeParse(body);
  if (problem === undefined) {
    return failure(
      `${base} answered HTTP ${status} to ${method} ${path}, and not in the words of an engine: is it gpu-uptime, and does it run behind what answers there?`,
      status,
    );
  }
  const said = `The engine at ${base} answered HTTP ${status}: ${problem.detail}`;
  return {
    ...failure(status === 401 ? credentialsText(base, hasToken) : sentence(said), status),
    fields: problem.errors,
  };
}

function credentialsText(base: string, hasToken: boolean): string {
  return hasToken
    ? `The engine at ${base} does not take the token: set GPU_UPTIME_TOKEN to the one that the engine was started with.`
    : `The engine at ${base} wants to know who asks: set GPU_UPTIME_TOKEN to the token that the engine was started with.`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function failure(text: string, status?: number): EngineFailure {
  return { kind: 'failure', status, text, fields: [] };
}
