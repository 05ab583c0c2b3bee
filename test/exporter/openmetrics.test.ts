import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Family, renderText, textContentType } from '../../exporter/metrics/exposition.ts';
import { openMetricsContentType, openMetricsEnd, renderOpenMetrics } from '../../exporter/metrics/openmetrics.ts';
import { startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import { everyType } from './every-type.ts';
import { parseOpenMetrics } from './openmetrics-parser.ts';

const page = (families: readonly Family[]) => renderOpenMetrics(families) + openMetricsEnd;

const one = (name: string, type: Family['type'], rest: Partial<Family> = {}): Family => ({
  name,
  type,
  help: 'h',
  series: [{ labels: {}, value: 1 }],
  ...rest,
});

/** The head of each family, without its samples. */
const heads = (...families: readonly Family[]) =>
  parseOpenMetrics(page(families)).map(({ name, type, unit, samples }) => [name, type, unit, samples[0]?.name]);

describe('renderOpenMetrics', () => {
  it('writes every type like this', async () => {
    await expect(page(everyType)).toMatchFileSnapshot('golden/every-type.openmetrics');
  });

  it.each([
    { what: 'a counter', families: [one('a_total', 'counter')], expected: [['a', 'counter', undefined, 'a_total']] },
    {
      what: 'a counter without the suffix, which keeps its name',
      families: [one('A_TOTAL', 'counter')],
      expected: [['A_TOTAL', 'unknown', undefined, 'A_TOTAL']],
    },
    {
      what: 'a counter whose short name another family has',
      families: [one('a', 'gauge'), one('a_total', 'counter')],
      expected: [
        ['a', 'gauge', undefined, 'a'],
        ['a_total', 'unknown', undefined, 'a_total'],
      ],
    },
    {
      what: 'an info and a counter that would both be called a',
      families: [one('a_total', 'counter'), one('a_info', 'gauge')],
      expected: [
        ['a', 'info', undefined, 'a_info'],
        ['a_total', 'unknown', undefined, 'a_total'],
      ],
    },
    {
      what: 'nothing but a suffix',
      families: [one('_total', 'counter')],
      expected: [['_total', 'unknown', undefined, '_total']],
    },
    {
      what: 'an info that is not 1',
      families: [one('a_info', 'gauge', { series: [{ labels: {}, value: 0 }] })],
      expected: [['a_info', 'gauge', undefined, 'a_info']],
    },
    { what: 'an untyped metric', families: [one('a', 'untyped')], expected: [['a', 'unknown', undefined, 'a']] },
    {
      what: 'a unit that the name ends in',
      families: [one('a_watts', 'gauge', { unit: 'watts' }), one('b_joules_total', 'counter', { unit: 'joules' })],
      expected: [
        ['a_watts', 'gauge', 'watts', 'a_watts'],
        ['b_joules', 'counter', 'joules', 'b_joules_total'],
      ],
    },
    {
      what: 'a unit that the name does not end in',
      families: [one('POWER_USAGE', 'gauge', { unit: 'W' })],
      expected: [['POWER_USAGE', 'gauge', undefined, 'POWER_USAGE']],
    },
  ])('names and types $what', ({ families, expected }) => {
    expect(heads(...families)).toEqual(expected);
  });

  it('ends a page without families too', () => {
    expect(parseOpenMetrics(page([]))).toEqual([]);
  });

  it('escapes quotes in help texts, unlike the text format', () => {
    const [family] = parseOpenMetrics(page([one('a', 'gauge', { help: 'a\\b "c"\nd' })]));
    expect(family?.help).toBe('a\\b "c"\nd');
  });

  it('is whole OpenMetrics for any families, with every sample as it is in the text format', () => {
    fc.assert(
      fc.property(fc.uniqueArray(familyArbitrary, { selector: ({ name }) => name }), (families) => {
        const samples = parseOpenMetrics(page(families)).flatMap((family) => family.samples);
        const byName = (left: { name: string }, right: { name: string }) => (left.name < right.name ? -1 : 1);
        const given = families.flatMap(({ name, series }) =>
          series.map(({ labels, value }) => ({ name, labels, value })),
        );
        expect(samples.toSorted(byName)).toEqual(given.toSorted(byName));
        expect(sampleLines(page(families))).toEqual(sampleLines(renderText(families)));
      }),
    );
  });
});

describe('parseOpenMetrics, which judges the pages of these tests', () => {
  it.each([
    ['a 1\n', 'the last line is # EOF'],
    ['a 1\n# EOF\nb 1\n', 'the last line is # EOF'],
    ['# TYPE a gauge\na 1\n# EOF', 'the page ends with a line feed'],
    ['# TYPE a counter\na 1\n# EOF\n', 'a sample of counter a has a suffix of its type'],
    ['# TYPE a_total counter\na_total 1\n# EOF\n', 'a sample of counter a_total has a suffix of its type'],
    ['# TYPE a untyped\na 1\n# EOF\n', 'the type is known'],
    ['# TYPE a gauge\na 1\n# HELP a b\n# EOF\n', 'descriptors come before samples'],
    ['# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n', 'a family appears once'],
    ['# HELP a say "b"\n# EOF\n', 'a descriptor follows the grammar'],
    ['# TYPE a gauge\na{b="c"d"} 1\n# EOF\n', 'labels follow the grammar'],
    ['# TYPE a gauge\na NaNs\n# EOF\n', 'a sample follows the grammar'],
    ['# TYPE a gauge\na 1\na 1\n# EOF\n', 'no series appears twice'],
    ['# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n', 'the name ends in the unit'],
    ['# TYPE a info\na_info 2\n# EOF\n', 'an info is 1'],
    [
      '# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total 1\n# EOF\n',
      'no two families could have the same sample',
    ],
    ['# TYPE a histogram\na_bucket{le="1"} 1\n# EOF\n', 'the last bucket is +Inf'],
  ])('refuses %j', (text, rule) => {
    expect(() => parseOpenMetrics(text)).toThrow(`not OpenMetrics (${rule})`);
  });
});

const sampleLines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const nameArbitrary = fc
  .tuple(
    fc.constantFrom('a', 'b', 'GPU'),
    fc.constantFrom('', '_seconds', '_ratio'),
    fc.constantFrom('', '_total', '_info', '_TOTAL'),
  )
  .map((parts) => parts.join(''));

const valueArbitrary = fc.oneof(
  fc.constant(1),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map((value) => value + 0),
);

const familyArbitrary: fc.Arbitrary<Family> = fc.record({
  name: nameArbitrary,
  type: fc.constantFrom('gauge', 'counter', 'untyped'),
  unit: fc.constantFrom('seconds', 'ratio'),
  help: fc.string({ unit: 'binary' }),
  labelOrder: fc.constantFrom('own', 'sorted'),
  series: fc.uniqueArray(
    fc.record({
      labels: fc.dictionary(fc.constantFrom('uuid', 'gpu', 'Z_9'), fc.string({ unit: 'binary' }), {
        noNullPrototype: true,
      }),
      value: valueArbitrary,
    }),
    { selector: ({ labels }) => JSON.stringify(Object.entries(labels).toSorted()), maxLength: 4 },
  ),
});

describe('a real Prometheus', () => {
  it('reads the same series from both formats, and the types and units from OpenMetrics', async (context) => {
    const tool = await requireTool(context, 'prometheus');
    const targets = await serve({
      text: { type: textContentType, body: renderText(everyType) },
      openmetrics: { type: openMetricsContentType, body: page(everyType) },
    });
    const prometheus = await startPrometheus({ tool, config: configFor(targets) });
    onTestFinished(() => prometheus.stop());
    const ask = async (path: string) => {
      const response = await fetch(`${prometheus.url}/api/v1/${path}`, { signal: AbortSignal.timeout(5000) });
      const { data } = (await response.json()) as { data: unknown };
      return data;
    };
    const scraped = async (job: string) => {
      const query = encodeURIComponent(`{job="${job}", __name__!~"up|scrape_.*"}`);
      const { result } = (await ask(`query?query=${query}`)) as { result: readonly PromSeries[] };
      return result.map(({ metric: { job: _, instance: __, ...metric }, value }) => ({ metric, value: value[1] }));
    };
    await expect.poll(async () => (await scraped('text')).length, { timeout: 15_000 }).toBeGreaterThan(0);
    await expect.poll(async () => (await scraped('openmetrics')).length, { timeout: 15_000 }).toBeGreaterThan(0);
    const lines = sampleLines(renderText(everyType)).length;
    const text = await scraped('text');
    expect(text).toHaveLength(lines);
    expect(new Set((await scraped('openmetrics')).map(asKey))).toEqual(new Set(text.map(asKey)));
    const metadata = (await ask(
      `targets/metadata?match_target=${encodeURIComponent('{job="openmetrics"}')}`,
    )) as Metadata;
    expect(Object.fromEntries(metadata.map(({ metric, type, unit }) => [metric, [type, unit]]))).toEqual({
      DCGM_FI_DEV_PCIE_REPLAY_COUNTER: ['unknown', ''],
      gc_duration_seconds: ['histogram', ''],
      gpu: ['info', ''],
      gpu_energy_joules: ['counter', 'joules'],
      gpu_odd_info: ['gauge', ''],
      gpu_temperature_celsius: ['gauge', 'celsius'],
      job_state: ['unknown', ''],
      pause_seconds: ['summary', ''],
    });
  });
});

interface PromSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

type Metadata = readonly { readonly metric: string; readonly type: string; readonly unit: string }[];

const asKey = ({ metric, value }: { metric: Readonly<Record<string, string>>; value: string }) =>
  JSON.stringify([Object.entries(metric).toSorted(), value]);

/** Serves each page under its name, whatever is accepted, and gives the address. */
async function serve(
  pages: Readonly<Record<string, { readonly type: string; readonly body: string }>>,
): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const found = pages[url.slice(1)];
    response
      .writeHead(found === undefined ? 404 : 200, { 'Content-Type': found?.type ?? 'text/plain' })
      .end(found?.body);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function configFor(target: string): string {
  const scrape_configs = ['text', 'openmetrics'].map((job_name) => ({
    job_name,
    metrics_path: `/${job_name}`,
    static_configs: [{ targets: [target] }],
  }));
  return JSON.stringify({ global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs });
}
