/** A Prometheus of its own for one test: empty at the start, filled as the test's time passes, gone at its end. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPromClient } from '../prometheus/client.ts';
import type { PromQuery } from '../prometheus/query.ts';
import { createRemoteWriter } from '../prometheus/remote-write.ts';
import type { SeriesWriter } from '../prometheus/series-writer.ts';
import type { InstalledTool } from '../stack/inspection.ts';
import { LOOPBACK } from '../stack/ports.ts';
import { startPart } from '../stack/process.ts';
import { waitUntilReady } from '../stack/readiness.ts';

export interface HistoryServer {
  readonly query: PromQuery;
  readonly writer: SeriesWriter;
  /** A folder that disappears with the server. */
  readonly directory: string;
  close(): Promise<void>;
}

/** The Prometheus of a test did not start; `message` has its last words. */
export class HistoryServerError extends Error {
  override readonly name = 'HistoryServerError';
}

const TIMEOUT_MS = 30_000;
const READY_MS = 30_000;
const CONNECTIONS = 4;

/** Starts it. `stepMs` is the step of subqueries that name none. Rejects with HistoryServerError when it does not start. */
export async function startHistoryServer(prometheus: InstalledTool, stepMs: number): Promise<HistoryServer> {
  const directory = await mkdtemp(join(tmpdir(), 'gpu-uptime-test-'));
  const port = await freePort();
  const url = `http://${LOOPBACK}:${port}`;
  const configFile = join(directory, 'prometheus.yml');
  await writeFile(configFile, JSON.stringify({ global: { evaluation_interval: `${stepMs}ms` } }));
  const part = startPart(
    {
      name: 'prometheus',
      program: prometheus.programs.prometheus ?? 'prometheus',
      args: argsOf(directory, configFile, port),
      env: process.env,
      cwd: directory,
      logFile: join(directory, 'prometheus.log'),
    },
    () => {},
  );
  const remove = () => rm(directory, { recursive: true, force: true });
  const ended = new AbortController();
  let exit: string | undefined;
  void part.exited.then((how) => {
    exit = how;
    ended.abort();
  });
  const problem = await waitUntilReady(`${url}/-/ready`, { timeoutMs: READY_MS, signal: ended.signal });
  if (problem !== undefined) {
    const how = exit === undefined ? problem : `it ended with ${exit}`;
    await part.stop(0).finally(remove);
    throw new HistoryServerError([`Prometheus did not start for the test: ${how}`, ...part.lastLines()].join('\n'));
  }
  const query = createPromClient({ url, timeoutMs: TIMEOUT_MS, concurrency: CONNECTIONS });
  const writer = createRemoteWriter({ url: `${url}/api/v1/write`, timeoutMs: TIMEOUT_MS, concurrency: 1 });
  const close = async () => {
    await Promise.all([query.close(), writer.close()]);
    // Its data is thrown away, so it need not write anything down.
    await part.stop(0).finally(remove);
  };
  return { query, writer, directory, close };
}

function argsOf(directory: string, configFile: string, port: number): readonly string[] {
  return [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(directory, 'prometheus')}`,
    // Tests may start at the epoch.
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=${LOOPBACK}:${port}`,
    '--web.enable-remote-write-receiver',
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, LOOPBACK, resolve);
  });
  const address = server.address();
  await server[Symbol.asyncDispose]();
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  return address.port;
}
