/** Entry of the engine process. */
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { pino } from 'pino';
import { configHelp, type EngineConfig, readConfig } from './config.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { createServices } from './services.ts';

if (process.argv.includes('--help')) process.stdout.write(configHelp());
else await start();

async function start(): Promise<void> {
  const outcome = readConfig(process.env, process.argv.slice(2));
  if (outcome.ok) await run(outcome.config);
  else fail(outcome.problems.join('\n'));
}

async function run(config: EngineConfig): Promise<void> {
  const read = await readConfiguration(config, process.env);
  if (!read.ok) return fail(read.text);
  const log = pino({ level: config.logLevel, base: { part: 'engine' } });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    await serve(config, read.configuration, log, stop.signal);
  } catch (error) {
    fail(explainFailure(config, error));
  }
}

async function serve(
  config: EngineConfig,
  configuration: Configuration,
  log: pino.Logger,
  signal: AbortSignal,
): Promise<void> {
  if (configuration.warnings !== '') log.warn(configuration.warnings);
  const services = await createServices({
    config,
    configuration,
    log,
    env: process.env,
    clock: { now: Date.now, sleep },
  });
  process.on('SIGHUP', () => void services.reload());
  try {
    await services.run(signal);
  } finally {
    await services.close();
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

function explainFailure({ address, port, dataDir }: EngineConfig, error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use; stop what listens there or set ENGINE_PORT`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${address}; set ENGINE_ADDRESS to one it has`;
  if (code === 'EACCES')
    return `no permission for port ${port} or for ${join(dataDir, 'engine.db')}; set ENGINE_PORT or DATA_DIR`;
  return message ?? String(error);
}

function fail(text: string): void {
  process.stderr.write(`gpu-uptime engine: ${text}\n`);
  process.exitCode = 1;
}
