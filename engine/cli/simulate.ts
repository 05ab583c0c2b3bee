/** `gpu-uptime simulate`: breaks a simulated GPU, or mends all of them. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Command, CommandIo } from './command.ts';

const FAULTS = ['hot', 'busy', 'lost', 'power', 'ecc'];
const STANDARD_PORT = '9400';
const ANSWER_MS = 5_000;

const Refused = z.object({
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), problem: z.string(), fix: z.string() })).default([]),
});

export const simulate: Command = {
  name: 'simulate',
  summary: 'make a simulated GPU fail, or recover',
  usage: `gpu-uptime simulate FAULT --gpu N [--seconds S]
gpu-uptime simulate recover [--gpu N]

FAULT is one of ${FAULTS.join(', ')}. Without --seconds the fault stays until it is taken back.

  EXPORTER_URL   the exporter to talk to
  EXPORTER_PORT  its port on this machine, when EXPORTER_URL is not set (9400)`,
  run,
};

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const order = readOrder(args);
  if (order.kind === 'misunderstood') {
    io.err(`gpu-uptime simulate: ${order.problem}\n\nusage: ${simulate.usage}`);
    return 2;
  }
  return send(order, io);
}

type Order =
  | { readonly kind: 'break'; readonly fault: string; readonly gpu: number; readonly seconds: number | undefined }
  | { readonly kind: 'recover'; readonly gpu: number | undefined }
  | { readonly kind: 'misunderstood'; readonly problem: string };

/** Unknown options are the caller's to explain: parseArgs throws for them. */
function readOrder(args: readonly string[]): Order {
  const options = { gpu: { type: 'string' }, seconds: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [fault, ...rest] = positionals;
  if (fault === undefined || rest.length > 0) return misunderstood('give exactly one fault, or recover');
  return orderOf(fault, optionalNumber(values.gpu), optionalNumber(values.seconds));
}

function orderOf(fault: string, gpu: number | undefined, seconds: number | undefined): Order {
  if (Number.isNaN(gpu)) return misunderstood('--gpu needs the index of a GPU, such as 3');
  if (Number.isNaN(seconds)) return misunderstood('--seconds needs a number, such as 60');
  if (fault === 'recover') return { kind: 'recover', gpu };
  if (!FAULTS.includes(fault))
    return misunderstood(`there is no fault "${fault}"; the faults are ${FAULTS.join(', ')}`);
  if (gpu === undefined) return misunderstood(`say which GPU, such as --gpu 3`);
  return { kind: 'break', fault, gpu, seconds };
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text || Number.NaN);
}

function misunderstood(problem: string): Order {
  return { kind: 'misunderstood', problem };
}

async function send(order: Exclude<Order, { kind: 'misunderstood' }>, io: CommandIo): Promise<number> {
  const base = io.env.EXPORTER_URL || `http://127.0.0.1:${io.env.EXPORTER_PORT || STANDARD_PORT}`;
  try {
    const response = await fetch(new URL(requestPath(order), base), requestInit(order));
    if (!response.ok) io.err(await refusal(response));
    else io.out(confirmation(order));
    return response.ok ? 0 : 1;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    io.err(
      `No exporter answers at ${base}${cause}; start one with npm start, or set EXPORTER_URL or EXPORTER_PORT to where it listens.`,
    );
    return 1;
  }
}

function requestPath(order: Order): string {
  const gpu = order.kind === 'recover' && order.gpu !== undefined ? `?gpu=${order.gpu}` : '';
  return `/api/v1/simulate${gpu}`;
}

function requestInit(order: Exclude<Order, { kind: 'misunderstood' }>): RequestInit {
  const signal = AbortSignal.timeout(ANSWER_MS);
  if (order.kind === 'recover') return { method: 'DELETE', signal };
  const { gpu, fault, seconds } = order;
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify({ gpu, fault, seconds }), signal };
}

async function refusal(response: Response): Promise<string> {
  const parsed = Refused.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success)
    return `The exporter answered HTTP ${response.status}; is EXPORTER_URL really an exporter of gpu-uptime?`;
  const { detail, errors } = parsed.data;
  return errors.length === 0
    ? detail
    : errors.map(({ field, problem, fix }) => `${field}: ${problem}; ${fix}.`).join('\n');
}

function confirmation(order: Exclude<Order, { kind: 'misunderstood' }>): string {
  if (order.kind === 'recover') return order.gpu === undefined ? 'All GPUs recover.' : `GPU ${order.gpu} recovers.`;
  const span = order.seconds === undefined ? 'until gpu-uptime simulate recover' : `for ${order.seconds} s`;
  return `GPU ${order.gpu} is now simulated as ${order.fault} ${span}.`;
}
