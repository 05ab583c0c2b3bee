/** Configuration, parsed once from environment and arguments. Every problem is reported, each with its fix. */

import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Config {
  readonly port: number;
  readonly address: string;
  readonly gpus: number;
  readonly seed: number;
  readonly hostname: string;
  readonly source: 'mock' | 'auto';
  readonly logLevel: (typeof logLevels)[number];
  readonly collectIntervalMs: number;
}

export type ConfigResult =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** One row is one setting: where it comes from, what it may be, and what to say when it is not. */
interface Setting<T> {
  readonly env: string;
  readonly flag?: string;
  readonly what: string;
  readonly fallback: string;
  readonly schema: z.ZodType<T, string>;
  readonly fix: string;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const sources = ['mock', 'auto'] as const;

const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(min).max(max));

const settings = {
  port: {
    env: 'EXPORTER_PORT',
    flag: 'port',
    what: 'port to listen on; 0 takes a free one',
    fallback: '9400',
    schema: wholeNumber(0, 65_535),
    fix: 'give a whole number from 0 to 65535',
  },
  address: {
    env: 'EXPORTER_ADDRESS',
    flag: 'address',
    what: 'address to listen on; 0.0.0.0 opens the exporter to the network',
    fallback: '127.0.0.1',
    schema: z.union([z.ipv4(), z.ipv6(), z.literal('localhost')]),
    fix: 'give an IP address, for example 127.0.0.1 or 0.0.0.0',
  },
  gpus: {
    env: 'MOCK_GPUS',
    flag: 'gpus',
    what: 'number of simulated GPUs',
    fallback: '8',
    schema: wholeNumber(1, 1024),
    fix: 'give a whole number from 1 to 1024',
  },
  seed: {
    env: 'MOCK_SEED',
    flag: 'seed',
    what: 'seed of the simulation; the same seed gives the same GPUs and the same course of events',
    fallback: '1',
    schema: wholeNumber(0, 2 ** 32 - 1),
    fix: 'give a whole number from 0 to 4294967295',
  },
  hostname: {
    env: 'EXPORTER_HOSTNAME',
    flag: 'hostname',
    what: 'value of the Hostname label',
    fallback: hostname(),
    schema: z.string().min(1).max(255),
    fix: 'give 1 to 255 characters',
  },
  source: {
    env: 'GPU_SOURCE',
    what: 'where readings come from: mock, or auto (today the same)',
    fallback: 'auto',
    schema: z.enum(sources),
    fix: 'give mock or auto; reading real GPUs through NVML (nvml) is not built yet',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    what: 'least severe log line that is written',
    fallback: 'info',
    schema: z.enum(logLevels),
    fix: `give one of ${logLevels.join(', ')}`,
  },
  collectIntervalMs: {
    env: 'EXPORTER_COLLECT_INTERVAL_MS',
    what: 'pause between two readings, in milliseconds',
    fallback: '1000',
    schema: wholeNumber(50, 5000),
    fix: 'give a whole number from 50 to 5000',
  },
} satisfies { [Name in keyof Config]: Setting<Config[Name]> };

const rows: readonly Setting<unknown>[] = Object.values(settings);

type Env = Readonly<Record<string, string | undefined>>;
type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** `argv` without node and script. Flags win over the environment; an empty variable counts as not set. */
export function parseConfig(env: Env, argv: readonly string[]): ConfigResult {
  const { flags, problems: flagProblems } = parseFlags(argv);
  if (flags.help === true) return { kind: 'help' };
  if (flags.version === true) return { kind: 'version' };
  const problems = [...flagProblems, ...rows.flatMap((setting) => problemOf(setting, env, flags))];
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'run', config: readConfig(env, flags) };
}

function readConfig(env: Env, flags: Flags): Config {
  const read = <T>(setting: Setting<T>): T => setting.schema.parse(rawValue(setting, env, flags).value);
  return {
    port: read(settings.port),
    address: read(settings.address),
    gpus: read(settings.gpus),
    seed: read(settings.seed),
    hostname: read(settings.hostname),
    source: read(settings.source),
    logLevel: read(settings.logLevel),
    collectIntervalMs: read(settings.collectIntervalMs),
  };
}

function problemOf(setting: Setting<unknown>, env: Env, flags: Flags): readonly string[] {
  const { value, origin } = rawValue(setting, env, flags);
  return setting.schema.safeParse(value).success ? [] : [`${origin} is ${JSON.stringify(value)}: ${setting.fix}.`];
}

function rawValue({ env: variable, flag, fallback }: Setting<unknown>, env: Env, flags: Flags) {
  const fromFlag = flag === undefined ? undefined : flags[flag];
  if (typeof fromFlag === 'string') return { value: fromFlag, origin: `--${flag}` };
  return { value: env[variable] || fallback, origin: variable };
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

/** What `--help` prints. */
export function helpText(): string {
  const lines = rows.map(({ env, flag, what, fallback }) => {
    const name = flag === undefined ? env : `--${flag}, ${env}`;
    return `  ${name.padEnd(32)} ${what} (default ${fallback})`;
  });
  return `Publishes GPU metrics for Prometheus.

Usage: npm run exporter -- [flags]

Flags and environment variables; a flag wins:
${lines.join('\n')}
  ${'--help'.padEnd(32)} print this and exit
  ${'--version'.padEnd(32)} print the version and exit
`;
}
