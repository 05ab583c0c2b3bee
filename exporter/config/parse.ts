/** Configuration, parsed once from environment and arguments. Every problem is reported, each with its fix. */

import { parseArgs } from 'node:util';
import type { Setting } from './setting.ts';
import { settingGroups, settings } from './settings.ts';

type Settings = typeof settings;

export type Config = {
  readonly [Name in keyof Settings]: Settings[Name] extends Setting<infer Value> ? Value : never;
};

export type ConfigResult =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** `rest` has the defaults in place of what is wrong, so that what the other settings name can be looked at too. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[]; readonly rest: Config };

export type Env = Readonly<Record<string, string | undefined>>;
type Flags = Readonly<Record<string, string | boolean | undefined>>;

const rows: readonly Setting<unknown>[] = Object.values(settingGroups).flat();

/** What was translated from another exporter's settings before. */
interface Translated {
  readonly problems: readonly string[];
  /** Where the value of a variable came from, for messages. */
  readonly origins: Readonly<Partial<Record<string, string>>>;
}

const nothingTranslated: Translated = { problems: [], origins: {} };

/** `argv` without node and script. Flags win over the environment; an empty variable counts as not set. */
export function parseConfig(env: Env, argv: readonly string[], translated = nothingTranslated): ConfigResult {
  const { flags, problems: flagProblems } = parseFlags(argv);
  if (flags.help === true) return { kind: 'help' };
  if (flags.version === true) return { kind: 'version' };
  const given = { env, flags, origins: translated.origins };
  const wrong = rows.flatMap((setting) => problemOf(setting, given));
  const problems = [...translated.problems, ...flagProblems, ...wrong];
  const config = readConfig(given);
  if (problems.length > 0) return { kind: 'invalid', problems, rest: config };
  const conflicts = conflictsOf(config);
  return conflicts.length > 0 ? { kind: 'invalid', problems: conflicts, rest: config } : { kind: 'run', config };
}

interface Given {
  readonly env: Env;
  readonly flags: Flags;
  readonly origins: Translated['origins'];
}

function readConfig(given: Given): Config {
  const values = Object.entries(settings).map(([name, setting]) => [name, settingValue(setting, given)]);
  return Object.fromEntries(values) as Config;
}

function settingValue(setting: Setting<unknown>, given: Given): unknown {
  const result = setting.schema.safeParse(rawValue(setting, given).value);
  return result.success ? result.data : setting.schema.parse(setting.fallback);
}

function problemOf(setting: Setting<unknown>, given: Given): readonly string[] {
  const { value, origin } = rawValue(setting, given);
  return setting.schema.safeParse(value).success ? [] : [`${origin} is ${shortened(value)}: ${setting.fix}.`];
}

function shortened(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function rawValue({ env: variable, flag, fallback }: Setting<unknown>, { env, flags, origins }: Given) {
  const fromFlag = flag === undefined ? undefined : flags[flag];
  if (typeof fromFlag === 'string') return { value: fromFlag, origin: `--${flag}` };
  return { value: env[variable] || fallback, origin: origins[variable] ?? variable };
}

/** Values that are each right, but not together. */
function conflictsOf({ source, replayFile, recordFile, gpus, nodes }: Config): readonly string[] {
  return [
    source === 'replay' && replayFile === undefined
      ? 'GPU_SOURCE is replay, but NVML_REPLAY_FILE names no recording: give one, or another source.'
      : undefined,
    recordFile !== undefined && source !== 'nvml'
      ? `NVML_RECORD_FILE needs GPU_SOURCE=nvml, and it is ${source}: only real answers are recorded.`
      : undefined,
    nodes > gpus ? `MOCK_NODES is ${nodes} and MOCK_GPUS is ${gpus}: give each node at least one GPU.` : undefined,
  ].filter((problem) => problem !== undefined);
}

// parseArgs in strict mode stops at the first mistake; the tokens let all of them be named.
function parseFlags(argv: readonly string[]): { flags: Flags; problems: readonly string[] } {
  const { values, tokens } = parseArgs({ args: [...argv], options: flagOptions(), strict: false, tokens: true });
  return { flags: values as Flags, problems: tokens.flatMap(tokenProblem) };
}

function flagOptions(): Record<string, { type: 'string' | 'boolean' }> {
  const named = rows.flatMap(({ flag }) => (flag === undefined ? [] : [[flag, { type: 'string' as const }] as const]));
  return { ...Object.fromEntries(named), help: { type: 'boolean' }, version: { type: 'boolean' } };
}

type Token =
  | { kind: 'option'; name: string; rawName: string; value?: string | undefined }
  | { kind: string; value?: string };

function tokenProblem(token: Token): readonly string[] {
  if (token.kind === 'option-terminator') return [];
  if (!('rawName' in token)) return [`"${token.value}" is not understood: the exporter takes flags only, see --help.`];
  const option = flagOptions()[token.name];
  if (option === undefined) return [`${token.rawName} is not a flag: see --help for those there are.`];
  const isMissingValue = option.type === 'string' && token.value === undefined;
  return isMissingValue ? [`${token.rawName} needs a value: write ${token.rawName}=VALUE.`] : [];
}
