/** A real Alertmanager on a free port, with its data in a directory of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The program under whichever name it was installed; undefined where there is none. */
export const ALERTMANAGER = ['alertmanager', 'prometheus-alertmanager'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
);

export interface RealAlertmanager {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startAlertmanager(program: string, config: string): Promise<RealAlertmanager> {
  const directory = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  await writeFile(join(directory, 'alertmanager.yml'), config);
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`--config.file=${directory}/alertmanager.yml`, `--storage.path=${directory}`];
  const child = spawn(program, [...args, `--web.listen-address=${address}`, '--cluster.listen-address='], {
    stdio: 'ignore',
  });
  const url = `http://${address}`;
  await untilReady(`${url}/-/ready`, child);
  return { url, stop: () => stop(child, directory) };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Alertmanager ended with ${child.exitCode}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stop(child: ChildProcess, directory: string): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  await rm(directory, { recursive: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
