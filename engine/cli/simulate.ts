/** `gpu-uptime simulate`: makes simulated GPUs fail, starts whole scenarios, and mends everything again. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { nearestName } from '../policy/nearest-name.ts';
import type { Command, CommandIo } from './command.ts';
import { durationText, placeText, type SimulationKind, SimulationStatus, statusText } from './simulation-status.ts';

const STANDARD_PORT = '9400';
const ANSWER_MS = 5_000;

const Refused = z.object({
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), problem: z.string(), fix: z.string() })).default([]),
});

export const simulate: Command = {
  name: 'simulate',
  summary: 'make simulated GPUs fail or recover, or start a scenario',
  usage: `gpu-uptime simulate SCENARIO [--gpu N] [--node NAME]
gpu-uptime simulate FAULT --gpu N [--node NAME] [--seconds S] [--set KEY=VALUE…]
gpu-uptime simulate recover [--gpu N] [--node NAME]
gpu-uptime simulate list

A scenario, such as degradation, is a course of faults that ends by itself. A fault, such as hot or lost, stays until it is
taken back, or for --seconds. list shows all there are, with the behaviours, and what is going on. Without --node it is the
first node. Where names are alike, write scenario, fault or behaviour before them: gpu-uptime simulate fault ecc-storm --gpu 3.

  EXPORTER_URL   the exporter to talk to
  EXPORTER_PORT  its port on this machine, when EXPORTER_URL is not set (9400)`,
  run,
};

const KINDS = ['scenario', 'fault', 'behaviour'] as const;
type Kind = (typeof KINDS)[number];

/** What the command line says; what its words mean only the exporter knows. */
interface Wish {
  readonly kind: Kind | undefined;
  readonly name: string;
  readonly gpu: number | undefined;
  readonly node: string | undefined;
  readonly seconds: number | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Why nothing was done: 1 the exporter cannot or will not, 2 the command line was wrong. */
interface Failure {
  readonly code: 1 | 2;
  readonly failure: string;
}

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const wish = readWish(args);
  const outcome = isFailure(wish) ? wish : await carryOut(wish, io);
  if (!isFailure(outcome)) {
    io.out(outcome.text);
    return 0;
  }
  const { code, failure } = outcome;
  io.err(code === 1 ? failure : `gpu-uptime simulate: ${failure}\n\nusage: ${simulate.usage}`);
  return code;
}

function isFailure(outcome: object): outcome is Failure {
  return 'failure' in outcome;
}

function misunderstood(failure: string): Failure {
  return { code: 2, failure };
}

/** Unknown options are the caller's to explain: parseArgs throws for them. */
function readWish(args: readonly string[]): Wish | Failure {
  const text = { type: 'string' } as const;
  const options = { gpu: text, node: text, seconds: text, set: { type: 'string', multiple: true } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const kind = KINDS.find((one) => one === positionals[0]);
  const [name, ...rest] = kind === undefined ? positionals : positionals.slice(1);
  if (name === undefined || rest.length > 0) return misunderstood('give exactly one scenario, fault, recover or list');
  const { node, set = [] } = values;
  const gpu = numberOf(values.gpu);
  const seconds = numberOf(values.seconds);
  if (Number.isNaN(gpu)) return misunderstood('--gpu needs the index of a GPU, such as 3');
  if (Number.isNaN(seconds)) return misunderstood('--seconds needs a number, such as 60');
  const strange = set.find((setting) => !SETTING.test(setting));
  if (strange !== undefined) return misunderstood(`--set needs KEY=VALUE, such as code=79, and is "${strange}"`);
  return { kind, name, gpu, node, seconds, settings: Object.fromEntries(set.map(settingOf)) };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text || Number.NaN);
}

const SETTING = /^([a-z_]+)=(.+)$/;

function settingOf(text: string): readonly [string, unknown] {
  const [, key = '', value = ''] = SETTING.exec(text) ?? [];
  if (/^-?\d+(\.\d+)?$/.test(value)) return [key, Number(value)];
  return [key, value.includes(',') ? value.split(',') : value];
}

interface Done {
  readonly text: string;
}

async function carryOut(wish: Wish, { env }: CommandIo): Promise<Done | Failure> {
  const base = env.EXPORTER_URL || `http://127.0.0.1:${env.EXPORTER_PORT || STANDARD_PORT}`;
  if (!URL.canParse(base))
    return {
      code: 1,
      failure: `EXPORTER_URL is "${base}": give the address of an exporter, such as http://127.0.0.1:9400.`,
    };
  if (wish.name === 'recover') return recover(wish, base);
  const status = await ask(base, '', { method: 'GET' });
  if (isFailure(status)) return status;
  if (wish.name === 'list') return { text: statusText(status) };
  const meaning = meaningOf(wish, status);
  return isFailure(meaning) ? meaning : begin(wish, meaning, { base, status });
}

async function recover({ gpu, node }: Wish, base: string): Promise<Done | Failure> {
  const query = new URLSearchParams();
  if (node !== undefined) query.set('node', node);
  if (gpu !== undefined) query.set('gpu', String(gpu));
  const answer = await ask(base, query.size === 0 ? '' : `?${query}`, { method: 'DELETE' });
  if (isFailure(answer)) return answer;
  if (gpu !== undefined)
    return { text: node === undefined ? `GPU ${gpu} recovers.` : `GPU ${gpu} of ${node} recovers.` };
  return { text: node === undefined ? 'All GPUs recover.' : `${node} and all its GPUs recover.` };
}

/** A name, and what the exporter has under it. */
interface Meaning {
  readonly kind: Kind;
  readonly found: SimulationKind;
}

/** Where names are alike a scenario comes before a fault, and a fault before a behaviour. */
function meaningOf({ kind, name, gpu, seconds, settings }: Wish, { available }: SimulationStatus): Meaning | Failure {
  const tables = { scenario: available.scenarios, fault: available.faults, behaviour: available.behaviours };
  const kinds = kind === undefined ? KINDS : [kind];
  const [meaning] = kinds.flatMap((one) => {
    const found = tables[one].find((known) => known.name === name);
    return found === undefined ? [] : [{ kind: one, found }];
  });
  if (meaning === undefined) return unknownName(name, kinds, tables);
  if (meaning.kind === 'scenario' && (seconds !== undefined || Object.keys(settings).length > 0))
    return misunderstood(
      `a scenario has its own length and settings; for the fault write: gpu-uptime simulate fault ${name}`,
    );
  if (meaning.kind !== 'scenario' && meaning.found.scope === 'gpu' && gpu === undefined)
    return misunderstood('say which GPU, such as --gpu 3');
  return meaning;
}

function unknownName(
  name: string,
  kinds: readonly Kind[],
  tables: Readonly<Record<Kind, readonly SimulationKind[]>>,
): Failure {
  const known = [...kinds.flatMap((kind) => tables[kind].map((one) => one.name)), 'recover', 'list'];
  const near = nearestName(name, known);
  const hint = near === undefined ? 'gpu-uptime simulate list shows what there is' : `did you mean "${near}"?`;
  return misunderstood(
    `there is no ${new Intl.ListFormat('en', { type: 'disjunction' }).format(kinds)} "${name}"; ${hint}`,
  );
}

async function begin(
  wish: Wish,
  { kind, found }: Meaning,
  { base, status }: { base: string; status: SimulationStatus },
) {
  const { gpu, node, seconds, settings } = wish;
  const body = { ...settings, gpu, node, seconds, [kind]: found.name };
  const headers = { 'content-type': 'application/json' };
  const answer = await ask(base, '', { method: 'POST', headers, body: JSON.stringify(body) });
  if (isFailure(answer)) return answer;
  return { text: kind === 'scenario' ? startedText(wish, found, status) : struckText(wish, found, status) };
}

function startedText(
  { gpu = 0, node }: Wish,
  { name, what, scope, seconds }: SimulationKind,
  status: SimulationStatus,
): string {
  const place = {
    gpu: scope === 'gpu' ? gpu : null,
    node: scope === 'fleet' ? null : (node ?? status.fleet.first_node),
  };
  const end = seconds === null ? 'It goes on until it is taken back' : `It is over after ${spanText(seconds, status)}`;
  return `Scenario ${name} has started for ${placeText(place, status)}: ${what}.\n${end}; ${recoverText(place, status)} ends it at once.`;
}

function struckText({ gpu, node, seconds }: Wish, found: SimulationKind, status: SimulationStatus): string {
  const place = { gpu: gpu ?? null, node: node ?? status.fleet.first_node };
  const subject = placeText(place, status);
  const lasts = seconds ?? found.seconds;
  if (lasts === 0) return `${capital(subject)} ${found.what}, once.`;
  const end = lasts === null ? `until ${recoverText(place, status)}` : `for ${spanText(lasts, status)}`;
  return `${capital(subject)} is now simulated as ${found.name} ${end}: ${found.what}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What ends the thing and nothing else, as far as there is such a command. */
function recoverText(place: { gpu: number | null; node: string | null }, { fleet }: SimulationStatus): string {
  const node = place.node === null || fleet.nodes === 1 ? '' : ` --node ${place.node}`;
  return `gpu-uptime simulate recover${place.gpu === null ? '' : ` --gpu ${place.gpu}`}${node}`;
}

function spanText(seconds: number, { clock: { speed } }: SimulationStatus): string {
  if (speed === 1) return durationText(seconds);
  const simulated = `${durationText(seconds)} of simulated time`;
  return speed === 0
    ? `${simulated}, whose clock stands still`
    : `${simulated}, ${durationText(seconds / speed)} on this clock`;
}

async function ask(base: string, query: string, init: RequestInit): Promise<SimulationStatus | Failure> {
  const url = new URL(`/api/v1/simulate${query}`, base);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    const status = SimulationStatus.safeParse(body);
    return response.ok && status.success ? status.data : { code: 1, failure: refusalText(response, body, base) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    const fix = 'start one with npm start, or set EXPORTER_URL or EXPORTER_PORT to where it listens';
    return { code: 1, failure: `No exporter answers at ${base}${cause}; ${fix}.` };
  }
}

function refusalText({ status }: Response, body: unknown, base: string): string {
  if (status === 404) return `The exporter at ${base} does not simulate its GPUs; start it with GPU_SOURCE=mock.`;
  const refused = Refused.safeParse(body);
  if (!refused.success)
    return `The exporter answered HTTP ${status}; is EXPORTER_URL really an exporter of gpu-uptime?`;
  const { detail, errors } = refused.data;
  return errors.length === 0
    ? detail
    : errors.map(({ field, problem, fix }) => `${field} ${problem}: ${fix}.`).join('\n');
}
