/** A run of the exporter process from its arguments to its exit code. */

import { once } from 'node:events';
import pino, { type Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { helpText } from './config/help.ts';
import { type Config, parseConfig } from './config/parse.ts';
import { type Exporter, startExporter } from './exporter.ts';

const { version } = manifest;

/** `argv` without node and script. Resolves when the exporter has ended, with the exit code. */
export async function runExporter(env: NodeJS.ProcessEnv, argv: readonly string[]): Promise<number> {
  const result = parseConfig(env, argv);
  switch (result.kind) {
    case 'help':
      return print(helpText());
    case 'version':
      return print(`${version}\n`);
    case 'invalid':
      return complain(`The exporter cannot start:\n${result.problems.map((problem) => `  ${problem}`).join('\n')}`);
    case 'run':
      return run(result.config);
  }
}

async function run(config: Config): Promise<number> {
  const log = pino({ level: config.logLevel });
  // Listened for before the start, so that a signal during it is not lost.
  const ending = firstSignal();
  const exporter = await start(config, log);
  if (exporter === undefined) return 1;
  if (config.source === 'auto') log.info('GPU_SOURCE=auto: reading real GPUs is not built yet, so they are simulated');
  log.info({ address: config.address, port: exporter.port, source: 'mock', gpus: config.gpus }, 'listening');
  log.info({ signal: await ending }, 'ending');
  await exporter.close();
  return 0;
}

async function start(config: Config, log: Logger): Promise<Exporter | undefined> {
  try {
    return await startExporter(config, { version, now, log });
  } catch (error) {
    complain(listenProblem(config, error));
    return undefined;
  }
}

// Epoch milliseconds that never jump when the wall clock is set: only ages and durations are taken from it.
function now(): number {
  return performance.timeOrigin + performance.now();
}

async function firstSignal(): Promise<string> {
  return Promise.race((['SIGTERM', 'SIGINT'] as const).map((signal) => once(process, signal).then(() => signal)));
}

function listenProblem({ address, port }: Config, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const change = 'choose another with --port or EXPORTER_PORT';
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is already in use: end what uses it, or ${change}.`;
  if (code === 'EACCES') return `Port ${port} on ${address} may not be opened by this user: ${change}.`;
  if (code === 'EADDRNOTAVAIL')
    return `This machine has no address ${address}: choose another with --address or EXPORTER_ADDRESS.`;
  return `The exporter cannot listen on ${address}:${port}: ${error instanceof Error ? error.message : String(error)}`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
