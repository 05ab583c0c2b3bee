/** Child process: a Prometheus that knows every GPU it is asked about by name, and saw it up at every tick. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TAG } from '../../engine/core/ping/queries.ts';
import { answerParent } from './process.ts';

interface Element {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** As `placesQuery` and `countsQuery` write them; nothing is known of what else the engine asks. */
function elementsOf(query: string): readonly Element[] {
  if (query.includes(`"${TAG}"`))
    return query
      .split(`"${TAG}"`)
      .slice(0, -1)
      .map((part, nth) => ticksOf(part, nth));
  const gpus = namesIn(query);
  return gpus.map((gpu) => ({ metric: { UUID: gpu, instance: 'node:9400' }, value: 1 }));
}

function ticksOf(part: string, nth: number): Element {
  const [, range, step] = /\)\[(\d+)ms:(\d+)ms\] @ [\d.]+\), $/.exec(part) ?? [];
  const ticks = (Number(range) + Number(step) / 2) / Number(step);
  return { metric: { UUID: namesIn(part)[0] ?? '', [TAG]: String(nth) }, value: ticks };
}

function namesIn(query: string): readonly string[] {
  const last = [...query.matchAll(/UUID=~"([^"]*)"/g)].at(-1)?.[1];
  return last?.split('|') ?? [];
}

async function formOf(req: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

const server = createServer(async (req, res) => {
  const form = await formOf(req);
  const isRange = form.has('start');
  const elements = isRange ? [] : elementsOf(form.get('query') ?? '');
  const result = elements.map(({ metric, value }) => ({ metric, value: [Number(form.get('time')), String(value)] }));
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ status: 'success', data: { resultType: isRange ? 'matrix' : 'vector', result } }));
});
server.listen(0, '127.0.0.1', () => answerParent({ port: (server.address() as AddressInfo).port }, () => ({})));
