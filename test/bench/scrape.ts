/** Bench: scraping the real exporter against a bare node:http server that sends the same bytes. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { startExporterProcess } from '../exporter/exporter-process.ts';

interface BenchFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bar?: string;
  readonly ok?: boolean;
}

const connections = 16;
const rounds = 6;
const roundMs = 1_000;
const soakScrapes = 100_000;
const minRatio = 0.6;
const maxMebibytes = 120;

/** Alternating rounds against both servers, each in its own process; then memory over many scrapes. */
export async function benchScrape(): Promise<BenchFigure[]> {
  const exporter = await startExporterProcess(['--gpus', '8'], { LOG_LEVEL: 'info' });
  try {
    const bare = await startBareServer(await pageOf(exporter.url));
    try {
      return [...(await compareRates(exporter.port, bare.port)), ...(await compareMemory(exporter))];
    } finally {
      bare.child.kill();
    }
  } finally {
    await exporter.end();
  }
}

async function compareRates(exporterPort: number, barePort: number): Promise<BenchFigure[]> {
  await load(exporterPort, { forMs: roundMs });
  await load(barePort, { forMs: roundMs });
  const rates = { exporter: 0, bare: 0 };
  for (let round = 0; round < rounds; round += 1) {
    rates.exporter += (await load(exporterPort, { forMs: roundMs })) / rounds;
    rates.bare += (await load(barePort, { forMs: roundMs })) / rounds;
  }
  const ratio = rates.exporter / rates.bare;
  return [
    { name: 'scrape of 8 GPUs', value: rates.exporter, unit: 'requests/s' },
    { name: 'same bytes from bare node:http', value: rates.bare, unit: 'requests/s' },
    {
      name: 'scrape against bare node:http',
      value: ratio,
      unit: 'ratio',
      bar: `>= ${minRatio}`,
      ok: ratio >= minRatio,
    },
  ];
}

async function compareMemory({ pid, port }: { pid: number; port: number }): Promise<BenchFigure[]> {
  const before = residentMebibytes(pid);
  await load(port, { count: soakScrapes });
  const after = residentMebibytes(pid);
  const bar = `< ${maxMebibytes}`;
  return [
    { name: 'exporter memory before the soak', value: before, unit: 'MiB' },
    { name: `exporter memory ${soakScrapes} scrapes later`, value: after, unit: 'MiB', bar, ok: after < maxMebibytes },
  ];
}

function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** The page as soon as it has GPU series. */
async function pageOf(url: string): Promise<Buffer> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
    const page = Buffer.from(await response.arrayBuffer());
    if (page.includes('DCGM_FI_DEV_GPU_TEMP{')) return page;
  }
  throw new Error('the exporter publishes no GPU');
}

const bareServer = `
let body = Buffer.alloc(0);
process.stdin.on('data', (chunk) => { body = Buffer.concat([body, chunk]); });
process.stdin.on('end', () => {
  const server = require('node:http').createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    response.setHeader('Content-Length', body.length);
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
});`;

async function startBareServer(page: Buffer): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--eval', bareServer], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(page);
  const [line]: unknown[] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  return { child, port: Number(line) };
}

type Amount = { readonly forMs: number } | { readonly count: number };

/** Requests per second over keep-alive connections that each wait for their answer before asking again. */
async function load(port: number, amount: Amount): Promise<number> {
  const since = performance.now();
  let answered = 0;
  const isOver = () =>
    'count' in amount ? answered >= amount.count - connections : performance.now() - since >= amount.forMs;
  const onAnswer = () => {
    answered += 1;
    return !isOver();
  };
  await Promise.all(Array.from({ length: connections }, () => converse(port, onAnswer)));
  return (answered / (performance.now() - since)) * 1000;
}

const getMetrics = 'GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n';

// A raw socket, for an HTTP client would cost more than either server and hide the difference between them.
async function converse(port: number, onAnswer: () => boolean): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.write(getMetrics));
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
  let missing = 0;
  socket.on('data', (chunk: Buffer) => {
    missing = (missing > 0 ? missing : answerLength(chunk)) - chunk.length;
    if (missing > 0) return;
    if (onAnswer()) socket.write(getMetrics);
    else socket.end();
  });
  await once(socket, 'close');
}

/** Bytes of a whole answer, from the chunk it begins with. */
function answerLength(chunk: Buffer): number {
  const headEnd = chunk.indexOf('\r\n\r\n') + 4;
  const [, length] = /^content-length: (\d+)/im.exec(chunk.toString('latin1', 0, headEnd)) ?? [];
  if (length === undefined) throw new Error('the answer has no Content-Length');
  return headEnd + Number(length);
}
