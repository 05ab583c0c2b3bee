/** A real server against a bare node:http server that sends the same bytes, each in a process of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Load, loadFor, type Target } from './load.ts';
import { type BenchProcess, startProcess } from './process.ts';
import { rawAnswer } from './raw-http.ts';

export interface Round {
  readonly real: Load;
  readonly bare: Load;
}

export interface Rounds {
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** One round to warm up, then alternating ones: both servers meet the same neighbours on a shared machine. */
export async function againstBare(target: Target, { connections, rounds, seconds }: Rounds): Promise<readonly Round[]> {
  const bare = await bareServer(target);
  const bareTarget = { ...target, port: Number(bare.ready.port) };
  const measured: Round[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const real = await loadFor(seconds, connections, target);
      measured.push({ real, bare: await loadFor(seconds, connections, bareTarget) });
    }
  } finally {
    await bare.end();
  }
  return measured.slice(1);
}

/** Throws when the bare server's bytes are not the real one's. */
async function bareServer(target: Target): Promise<BenchProcess> {
  const answer = JSON.stringify(await rawAnswer(target.port, target.path));
  const bare = await withFile(answer, (file) => startProcess(import.meta.resolve('./bare-server.ts'), [file]));
  if (JSON.stringify(await rawAnswer(Number(bare.ready.port), target.path)) === answer) return bare;
  await bare.end();
  throw new Error('the bare server does not send the same bytes');
}

// A page of a thousand GPUs is longer than an argument may be.
async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'gpu-uptime-bench-'));
  try {
    await writeFile(join(directory, 'answer.json'), text);
    return await use(join(directory, 'answer.json'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
