/** Child process: answers queries about the synthetic fleet with the bytes that Prometheus would send. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { observerQuery, presenceQuery, targetQuery } from '../../engine/core/queries.ts';
import { benchPlan, GPUS, INTERVAL_MS, NODE_NAMES, readingByQuery } from './fleet.ts';
import { answerParent } from './process.ts';

const plan = benchPlan();
const { policy } = plan;
const readings = readingByQuery(plan);

type Element = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Nothing for a query that no tick asks. */
function elementsOf(query: string, seconds: number): readonly Element[] {
  if (query === observerQuery(policy)) return [[{}, seconds - 1]];
  if (query === targetQuery(policy)) return NODE_NAMES.map((instance) => [{ instance, job: 'gpu' }, 1]);
  if (query === presenceQuery(policy))
    return GPUS.map(({ gpu, node, labels }) => [{ UUID: gpu, instance: node, job: 'gpu', ...labels }, seconds - 1]);
  const reading = readings.get(query);
  const tick = (seconds * 1000) / INTERVAL_MS;
  return reading === undefined ? [] : GPUS.map(({ gpu }, index) => [{ UUID: gpu }, reading(index, tick)]);
}

function vectorData(query: string, seconds: number): unknown {
  const result = elementsOf(query, seconds).map(([metric, value]) => ({ metric, value: [seconds, String(value)] }));
  return { resultType: 'vector', result };
}

/** The few ticks that pass while an engine starts; every element lives through all of them. */
function matrixData(query: string, start: number, end: number): unknown {
  const step = INTERVAL_MS / 1000;
  const instants = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step);
  const columns = instants.map((seconds) => elementsOf(query, seconds));
  const result = (columns[0] ?? []).map(([metric], row) => ({
    metric,
    values: instants.map((seconds, i) => [seconds, String(columns[i]?.[row]?.[1])]),
  }));
  return { resultType: 'matrix', result };
}

/** Form fields of a POST, as our client asks, or of a GET, as prometheus-query does. */
async function fieldsOf(req: IncomingMessage): Promise<URLSearchParams> {
  if (req.method === 'GET') return new URL(req.url ?? '', 'http://localhost').searchParams;
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

const server = createServer(async (req, res) => {
  const fields = await fieldsOf(req);
  const [query = '', time, start, end] = ['query', 'time', 'start', 'end'].map((name) => fields.get(name) ?? undefined);
  const isRange = start !== undefined;
  const data = isRange ? matrixData(query, Number(start), Number(end)) : vectorData(query, Number(time));
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ status: 'success', data }));
});
server.listen(0, '127.0.0.1', () => answerParent({ port: (server.address() as AddressInfo).port }, () => ({})));
