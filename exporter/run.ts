/** A run of the exporter process from its arguments to its exit code. */

import { once } from 'node:events';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { translateDcgm } from './config/dcgm-translation.ts';
import { helpText } from './config/help.ts';
import { type Config, parseConfig } from './config/parse.ts';
import { unknownVariables } from './config/unknown-variables.ts';
import { type Exporter, startExporter } from './exporter.ts';
import { createLog } from './log.ts';
import { type Preparation, prepare } from './preparation.ts';

const { version } = manifest;

/** `argv` without node and script. Resolves when the exporter has ended, with the exit code. */
export async function runExporter(env: NodeJS.ProcessEnv, argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === 'doctor') return (await import('./doctor.ts')).runDoctorCommand(env, rest);
  const translation = translateDcgm(env, argv);
  const result = parseConfig({ ...env, ...translation.env }, translation.argv, translation);
  switch (result.kind) {
    case 'help':
      return print(helpText());
    case 'version':
      return print(`${version}\n`);
    case 'invalid':
      return refuse([...result.problems, ...(await problemsOf(result.rest))]);
    case 'run':
      return run(result.config, [...translation.notes, ...unknownVariables(env)]);
  }
}

// What is wrong with files and words is told in the same go as what is wrong with settings.
async function problemsOf(config: Config): Promise<readonly string[]> {
  const prepared = await prepare(config, { now, log: createLog({ level: 'silent', format: 'json' }) });
  return prepared.kind === 'invalid' ? prepared.problems : [];
}

async function run(config: Config, notes: readonly string[]): Promise<number> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  for (const note of notes) log.warn(note);
  // Listened for before the start, so that a signal during it is not lost, and SIGHUP does not end the process.
  const ending = firstSignal();
  const reloading: { exporter?: Exporter } = {};
  process.on('SIGHUP', () => void (reloading.exporter && reload(reloading.exporter, log)));
  const prepared = await prepare(config, { now, log });
  if (prepared.kind === 'invalid') return refuse(prepared.problems);
  const exporter = await start(config, prepared.preparation, log);
  if (exporter === undefined) return 1;
  log.info({ address: config.address, port: exporter.port, source: exporter.source }, 'listening');
  reloading.exporter = exporter;
  log.info({ signal: await ending }, 'ending');
  endAtLast(log);
  await exporter.close();
  return 0;
}

// Before systemd would do it, and with a reason.
const endTimeoutMs = 8_000;

// A thread that hangs in a file system would hold even process.exit.
function endAtLast(log: Logger): void {
  const end = () => {
    log.error(`the exporter has not ended within ${endTimeoutMs / 1000} s, so it is killed`);
    process.kill(process.pid, 'SIGKILL');
  };
  setTimeout(end, endTimeoutMs).unref();
}

async function start(config: Config, preparation: Preparation, log: Logger): Promise<Exporter | undefined> {
  try {
    return await startExporter(config, preparation, { version, now, log });
  } catch (error) {
    complain(startProblem(config, error));
    return undefined;
  }
}

async function reload(exporter: Exporter, log: Logger): Promise<void> {
  const outcome = await exporter.reload();
  if (outcome.kind === 'loaded') log.info({ warnings: outcome.warnings }, 'the counters file was read anew');
  else log.warn({ problems: outcome.problems }, 'the counters file is wrong; the counters of before stay');
}

// Epoch milliseconds that never jump when the wall clock is set: only ages and durations are taken from it.
function now(): number {
  return performance.timeOrigin + performance.now();
}

async function firstSignal(): Promise<string> {
  return Promise.race((['SIGTERM', 'SIGINT'] as const).map((signal) => once(process, signal).then(() => signal)));
}

function startProblem({ address }: Config, error: unknown): string {
  if (!(error instanceof Error)) return `The exporter cannot start: ${error}`;
  const { code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  const change = 'choose another with --port or EXPORTER_PORT';
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is already in use: end what uses it, or ${change}.`;
  if (code === 'EACCES') return `Port ${port} on ${address} may not be opened by this user: ${change}.`;
  if (code === 'EADDRNOTAVAIL')
    return `This machine has no address ${address}: choose another with --address or EXPORTER_ADDRESS.`;
  return `The exporter cannot start: ${error.message}`;
}

function refuse(problems: readonly string[]): number {
  return complain(`The exporter cannot start:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
