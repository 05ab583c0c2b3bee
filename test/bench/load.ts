/** Load on a server: by wrk where it is installed, else by our own generator, which costs more and says so. */
import { runCommand } from '../../engine/stack/command.ts';
import { converse } from './raw-http.ts';

export interface Target {
  readonly port: number;
  readonly path: string;
}

export interface Load {
  readonly generator: string;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** Keeps `connections` busy for some seconds; each waits for its answer before it asks again. */
export async function loadFor(seconds: number, connections: number, target: Target): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency'];
  const url = `http://127.0.0.1:${target.port}${target.path}`;
  const result = await runCommand('wrk', [...args, url], { timeoutMs: (seconds + 20) * 1000 });
  if (result.ok) return loadByWrk(result.output);
  const endMs = performance.now() + seconds * 1000;
  return loadUntil(() => performance.now() >= endMs, connections, target);
}

/** A fixed number of requests by our own generator. */
export async function loadTimes(count: number, connections: number, target: Target): Promise<Load> {
  let asked = connections;
  return loadUntil(() => ++asked > count, connections, target);
}

const MS_BY_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

function loadByWrk(output: string): Load {
  const [, rate] = /^Requests\/sec:\s+([\d.]+)/m.exec(output) ?? [];
  const [, p99, p99Unit = ''] = /^\s+99%\s+([\d.]+)(us|ms|s)/m.exec(output) ?? [];
  const [, slowest, slowestUnit = ''] = /^\s+Latency(?:\s+\S+){2}\s+([\d.]+)(us|ms|s)/m.exec(output) ?? [];
  return {
    generator: 'wrk',
    requestsPerSecond: Number(rate),
    p99Ms: Number(p99) * (MS_BY_UNIT[p99Unit] ?? Number.NaN),
    slowestMs: Number(slowest) * (MS_BY_UNIT[slowestUnit] ?? Number.NaN),
  };
}

async function loadUntil(isOver: () => boolean, connections: number, { port, path }: Target): Promise<Load> {
  const sinceMs = performance.now();
  const latenciesMs: number[] = [];
  const one = () => {
    let askedMs = performance.now();
    return converse(port, path, () => {
      const nowMs = performance.now();
      latenciesMs.push(nowMs - askedMs);
      askedMs = nowMs;
      return !isOver();
    });
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - sinceMs) / 1000;
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    generator: 'sockets',
    requestsPerSecond: sorted.length / seconds,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    slowestMs: sorted.at(-1) ?? Number.NaN,
  };
}
