/** Turns the flags and environment variables of dcgm-exporter into ours, so that it can be replaced without changing them. */

import { isIP } from 'node:net';
import { type DcgmFlag, dcgmFlags, type OurValues, type OurVariable } from './dcgm-flags.ts';
import { type GivenFlag, goBoolean, takeGoFlags } from './go-flags.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface DcgmTranslation {
  /** To be laid over the environment. */
  readonly env: OurValues;
  /** Who asked for it, for messages: `EXPORTER_PORT` may come from `--address`. */
  readonly origins: Readonly<Partial<Record<OurVariable, string>>>;
  /** What is left of the arguments. */
  readonly argv: readonly string[];
  /** Each names the flag or variable and what to do. */
  readonly problems: readonly string[];
  /** What was accepted but has no effect, and why. */
  readonly notes: readonly string[];
}

/**
 * `argv` is without node and script. Flags win over variables, as everywhere; of variables ours win over those of dcgm-exporter. An
 * empty variable counts as not set. `--address` with nothing but an address is our flag of that name, and is left as it is.
 */
export function translateDcgm(env: Env, argv: readonly string[]): DcgmTranslation {
  const { given, rest, problems } = takeGoFlags(argv, dcgmFlags);
  const ours = given.filter(isOurAddress).map(({ value }) => `--address=${value}`);
  const flags = given.filter((flag) => !isOurAddress(flag)).map((flag) => ({ ...flag, isTyped: true }));
  const outcomes = [nodeName(env), ...lastOfEach([...variablesIn(env), ...flags]).map((wish) => outcomeOf(wish, env))];
  return {
    env: Object.assign({}, ...outcomes.map(({ values }) => values)),
    origins: Object.assign({}, ...outcomes.map(({ values, origin }) => mapValues(values, origin))),
    argv: [...ours, ...rest.map(ourSpelling)],
    problems: [...problems, ...outcomes.flatMap(({ problem }) => problem ?? [])],
    notes: outcomes.flatMap(({ notes }) => notes),
  };
}

/** One thing that was asked for. */
interface Wish extends GivenFlag<DcgmFlag> {
  /** On the command line, rather than by a variable. */
  readonly isTyped: boolean;
}

interface Outcome {
  readonly origin: string;
  readonly values: OurValues;
  readonly problem?: string;
  readonly notes: readonly string[];
}

function isOurAddress({ spelling, value }: GivenFlag<DcgmFlag>): boolean {
  return spelling === '--address' && (isIP(value) !== 0 || value === 'localhost');
}

function variablesIn(env: Env): readonly Wish[] {
  return dcgmFlags.flatMap((flag) => {
    const value = env[flag.env];
    return value ? [{ flag, spelling: flag.env, value, isTyped: false }] : [];
  });
}

function lastOfEach(wishes: readonly Wish[]): readonly Wish[] {
  return [...new Map(wishes.map((wish) => [wish.flag, wish])).values()];
}

function outcomeOf({ flag, spelling, value, isTyped }: Wish, env: Env): Outcome {
  const nothing: Outcome = { origin: spelling, values: {}, notes: [] };
  const told = flag.isSwitch ? goBoolean(value)?.toString() : value;
  if (told === undefined)
    return { ...nothing, problem: `${spelling} is ${JSON.stringify(value)}: give true or false.` };
  if (told === '') return nothing;
  const effect = flag.effect(told);
  switch (effect.kind) {
    case 'set':
      return { ...nothing, ...(isTyped ? { values: effect.values } : besideOurs(effect.values, spelling, env)) };
    case 'invalid':
      return { ...nothing, problem: `${spelling} is ${JSON.stringify(value)}: ${effect.fix}.` };
    case 'refused':
      return told === flag.fallback
        ? nothing
        : { ...nothing, problem: `${spelling} is not possible here: ${effect.why}` };
    case 'idle':
      return told === flag.fallback ? nothing : { ...nothing, notes: [`${spelling} has no effect: ${effect.why}`] };
  }
}

function besideOurs(values: OurValues, origin: string, env: Env): Pick<Outcome, 'values' | 'notes'> {
  const isFree = ([variable]: readonly [string, string]) => !env[variable];
  const taken = Object.entries(values).filter((entry) => !isFree(entry));
  return {
    values: Object.fromEntries(Object.entries(values).filter(isFree)),
    notes: taken.map(([variable]) => `${origin} has no effect on ${variable}, which is set itself.`),
  };
}

// What a pod is told about the machine it runs on; dcgm-exporter prefers it to the name of the pod.
function nodeName(env: Env): Outcome {
  const values = env.NODE_NAME && !env.EXPORTER_HOSTNAME ? { EXPORTER_HOSTNAME: env.NODE_NAME } : {};
  return { origin: 'NODE_NAME', values, notes: [] };
}

function mapValues(values: OurValues, origin: string): DcgmTranslation['origins'] {
  return Object.fromEntries(Object.keys(values).map((variable) => [variable, origin]));
}

function ourSpelling(argument: string): string {
  if (argument === '-h' || argument === '-help') return '--help';
  return argument === '-v' || argument === '-version' ? '--version' : argument;
}
