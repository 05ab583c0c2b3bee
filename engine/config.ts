/** The engine's own settings, parsed once from the environment and the command line. What it judges by is policy. */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { PING_SETTINGS, type PingConfig, pingConfig } from './ping-settings.ts';
import { notEmpty, RULE_SETTINGS, type RuleConfig, ruleConfig } from './rule-settings.ts';
import { messageOf } from './text/message-of.ts';
import { TOKEN_SETTINGS, type TokenConfig, tokenConfig } from './token-settings.ts';

export interface EngineConfig extends RuleConfig, PingConfig, TokenConfig {
  readonly address: string;
  readonly port: number;
  readonly prometheusUrl: string;
  /** Prometheus as a person's browser reaches it. */
  readonly prometheusExternalUrl: string;
  readonly prometheusTimeoutMs: number;
  /** HTTP client settings for Prometheus. */
  readonly prometheusClientFile: string | undefined;
  readonly alertmanagerUrls: readonly string[];
  /** A Prometheus configuration whose Alertmanagers, relabelling and external labels are used. */
  readonly alertingFile: string | undefined;
  readonly alertResendMs: number;
  readonly alertCheckMs: number;
  /** The engine as a person's browser reaches it. */
  readonly externalUrl: string;
  readonly policyFile: string;
  readonly ruleFiles: readonly string[];
  readonly dataDir: string;
  readonly logLevel: string;
}

/** One setting: the command line wins over the environment, which wins over the default. */
export interface Setting {
  readonly env: string;
  /** Secrets have none: every user of a machine can read its command lines. */
  readonly flag?: string;
  readonly default: string;
  readonly help: string;
  /** An empty value is a choice of its own, not the same as unset. */
  readonly mayBeEmpty?: boolean;
  /** What is wrong with a value and how to mend it; undefined when it is good. */
  readonly problem: (value: string) => string | undefined;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export const SETTINGS = [
  { env: 'ENGINE_ADDRESS', flag: 'address', default: '127.0.0.1', help: 'Address to listen on.', problem: notEmpty },
  {
    env: 'ENGINE_PORT',
    flag: 'port',
    default: '8000',
    help: 'Port to listen on; 0 picks a free one.',
    problem: notPort,
  },
  {
    env: 'PROMETHEUS_URL',
    flag: 'prometheus-url',
    default: 'http://127.0.0.1:9090',
    help: 'Prometheus, or anything with its query API.',
    problem: notUrl,
  },
  {
    env: 'PROMETHEUS_EXTERNAL_URL',
    flag: 'prometheus-external-url',
    default: '',
    help: 'Prometheus as a browser reaches it, for links; PROMETHEUS_URL unless set.',
    problem: notUrlOrEmpty,
  },
  {
    env: 'PROMETHEUS_TIMEOUT_SECONDS',
    flag: 'prometheus-timeout-seconds',
    default: '10',
    help: 'Limit of one query.',
    problem: notTimeout,
  },
  {
    env: 'PROMETHEUS_CLIENT_FILE',
    flag: 'prometheus-client-file',
    default: '',
    help: 'YAML with HTTP client settings for Prometheus: basic_auth, authorization, tls_config.',
    problem: anything,
  },
  {
    env: 'ALERTMANAGER_URLS',
    flag: 'alertmanager-urls',
    default: 'http://127.0.0.1:9093',
    help: 'Alertmanagers, comma separated; empty sends to those of ALERTING_FILE only.',
    mayBeEmpty: true,
    problem: notUrls,
  },
  {
    env: 'ALERTING_FILE',
    flag: 'alerting-file',
    default: '',
    help: 'A prometheus.yml, for its alertmanagers, alert_relabel_configs and external_labels.',
    problem: anything,
  },
  {
    env: 'ALERT_RESEND_SECONDS',
    flag: 'alert-resend-seconds',
    default: '60',
    help: 'A firing alert is sent again when more than this has passed.',
    problem: notPause,
  },
  {
    env: 'ALERT_CHECK_SECONDS',
    flag: 'alert-check-seconds',
    default: '60',
    help: 'How often each Alertmanager is asked whether it holds the alerts.',
    problem: notPause,
  },
  {
    env: 'ENGINE_EXTERNAL_URL',
    flag: 'external-url',
    default: '',
    help: 'The engine as a browser reaches it, for links in alerts; address and port unless set.',
    problem: notUrlOrEmpty,
  },
  {
    env: 'POLICY_FILE',
    flag: 'policy-file',
    default: 'rules/policy.yml',
    help: 'Policy to judge by.',
    problem: notEmpty,
  },
  {
    env: 'RULE_FILES',
    flag: 'rule-files',
    default: 'rules/alerts/*.yml,rules/recording.yml',
    help: 'Rule files, comma separated globs; empty evaluates none.',
    mayBeEmpty: true,
    problem: anything,
  },
  ...RULE_SETTINGS,
  { env: 'DATA_DIR', flag: 'data-dir', default: 'data', help: 'Folder of the store (`engine.db`).', problem: notEmpty },
  ...PING_SETTINGS,
  ...TOKEN_SETTINGS,
  {
    env: 'LOG_LEVEL',
    flag: 'log-level',
    default: 'info',
    help: `One of ${LOG_LEVELS.join(', ')}.`,
    problem: notLogLevel,
  },
] as const satisfies readonly Setting[];

/** What `--help` prints. */
export function configHelp(): string {
  const rows = SETTINGS.map(({ env, flag, default: fallback, help }: Setting) => {
    return `  ${(flag === undefined ? '' : `--${flag}`).padEnd(30)}${env.padEnd(28)}${help}${fallback === '' ? '' : ` (${fallback})`}`;
  });
  return `Usage: npm run engine -- [flags]\n\n  ${'flag'.padEnd(30)}${'variable'.padEnd(28)}meaning (default)\n${rows.join('\n')}\n`;
}

export type ConfigOutcome =
  | { readonly ok: true; readonly config: EngineConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads every setting; all problems are reported together. */
export function readConfig(env: Readonly<Record<string, string | undefined>>, argv: readonly string[]): ConfigOutcome {
  const flags = readFlags(argv);
  if (typeof flags === 'string') return { ok: false, problems: [flags] };
  const values = SETTINGS.map((setting) => ({ setting, ...pick(setting, env, flags) }));
  const problems = values.flatMap(({ setting, name, value }) => {
    const problem = setting.problem(value);
    return problem === undefined ? [] : [`${mayHoldSecret(setting, value) ? name : `${name}=${value}`}: ${problem}`];
  });
  if (problems.length > 0) return { ok: false, problems };
  const get = (wanted: Names) => values.find(({ setting }) => setting.env === wanted)?.value ?? '';
  const isGiven = (wanted: Names) => values.some(({ setting, isGiven }) => setting.env === wanted && isGiven);
  return { ok: true, config: toConfig(get, isGiven) };
}

/** Problems end up in logs. What has no flag is a secret, and what has an `@` may be an address with a password. */
function mayHoldSecret({ flag }: Setting, value: string): boolean {
  return flag === undefined || value.includes('@');
}

function readFlags(argv: readonly string[]): Record<string, string | undefined> | string {
  const known = SETTINGS.flatMap(({ flag }: Setting) => flag ?? []);
  const options = Object.fromEntries(known.map((flag) => [flag, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values as Record<string, string | undefined>;
  } catch (error) {
    return `${messageOf(error)}; known flags: ${known.map((flag) => `--${flag}`).join(', ')}`;
  }
}

function pick(
  { env: name, flag, default: fallback, mayBeEmpty = false }: Setting,
  env: Readonly<Record<string, string | undefined>>,
  flags: Record<string, string | undefined>,
) {
  const given = flag === undefined ? undefined : flags[flag];
  if (given !== undefined) return { name: `--${flag}`, value: given, isGiven: true };
  const set = env[name];
  const isGiven = set !== undefined && (set !== '' || mayBeEmpty);
  return { name, value: isGiven ? set : fallback, isGiven };
}

type Names = (typeof SETTINGS)[number]['env'];

function toConfig(get: (name: Names) => string, isGiven: (name: Names) => boolean): EngineConfig {
  const alertingFile = get('ALERTING_FILE') || undefined;
  // The default is a guess, and a file that names the Alertmanagers knows better.
  const wantsUrls = alertingFile === undefined || isGiven('ALERTMANAGER_URLS');
  return {
    address: get('ENGINE_ADDRESS'),
    port: Number(get('ENGINE_PORT')),
    prometheusUrl: get('PROMETHEUS_URL'),
    prometheusExternalUrl: get('PROMETHEUS_EXTERNAL_URL') || get('PROMETHEUS_URL'),
    prometheusTimeoutMs: Number(get('PROMETHEUS_TIMEOUT_SECONDS')) * 1000,
    prometheusClientFile: get('PROMETHEUS_CLIENT_FILE') || undefined,
    alertmanagerUrls: wantsUrls ? list(get('ALERTMANAGER_URLS')) : [],
    alertingFile,
    alertResendMs: Number(get('ALERT_RESEND_SECONDS')) * 1000,
    alertCheckMs: Number(get('ALERT_CHECK_SECONDS')) * 1000,
    externalUrl: get('ENGINE_EXTERNAL_URL') || ownUrl(get('ENGINE_ADDRESS'), get('ENGINE_PORT')),
    policyFile: get('POLICY_FILE'),
    ruleFiles: list(get('RULE_FILES')),
    ...ruleConfig(get, get('PROMETHEUS_URL')),
    dataDir: get('DATA_DIR'),
    ...pingConfig(get),
    ...tokenConfig(get),
    logLevel: get('LOG_LEVEL'),
  };
}

/** Who listens on every address is reached by the machine's name. */
function ownUrl(address: string, port: string): string {
  const host = ['0.0.0.0', '::'].includes(address) ? hostname() : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function anything(): undefined {
  return undefined;
}

function notPort(value: string): string | undefined {
  return /^\d+$/.test(value) && Number(value) <= 65535 ? undefined : 'must be a port number from 0 to 65535';
}

const MAX_TIMEOUT_SECONDS = 300;

function notTimeout(value: string): string | undefined {
  const isGood = Number(value) > 0 && Number(value) <= MAX_TIMEOUT_SECONDS;
  return isGood ? undefined : `must be a number of seconds above 0, at most ${MAX_TIMEOUT_SECONDS}`;
}

const MAX_PAUSE_SECONDS = 3600;

function notPause(value: string): string | undefined {
  const isGood = Number(value) >= 1 && Number(value) <= MAX_PAUSE_SECONDS;
  return isGood ? undefined : `must be a number of seconds from 1 to ${MAX_PAUSE_SECONDS}`;
}

function notUrlOrEmpty(value: string): string | undefined {
  return value === '' ? undefined : notUrl(value);
}

function notUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'must be an address such as http://127.0.0.1:9090';
  const hasUserinfo = url.username !== '' || url.password !== '';
  return hasUserinfo ? 'must not contain a password; write it into PROMETHEUS_CLIENT_FILE or ALERTING_FILE' : undefined;
}

function notUrls(value: string): string | undefined {
  return list(value)
    .map(notUrl)
    .find((problem) => problem !== undefined);
}

function notLogLevel(value: string): string | undefined {
  return LOG_LEVELS.includes(value) ? undefined : `must be one of ${LOG_LEVELS.join(', ')}`;
}
