/** An hour of samples with everything that can happen to GPUs between two pings, and what it amounts to, judged by hand. */
import type { PingSpan } from '../../../engine/ping/evidence-port.ts';

export const INTERVAL_MS = 5000;
/** A multiple of the interval, long ago: blocks of the past are never compacted away while a test runs. */
export const START_MS = 1_700_000_000_000;
export const TICKS = 720;
export const SETTLE_MS = 2000;
export const FRESH_MS = 10_000;
const LOOKBACK_MS = 300_000;

/** Ticks, end exclusive. */
type Range = readonly [from: number, to: number];

interface Exposed {
  readonly gpu: string;
  readonly node: string;
  /** When it has no samples there. */
  readonly gone?: readonly Range[];
}

/** Its own characters would end a string, begin another matcher, and match any node as a pattern. */
export const ODD_NODE = 'odd"} or vector(1) # \\ .*|\nnode';

const NODES: Readonly<Record<string, { readonly isDown?: readonly Range[]; readonly keepsTalking?: boolean }>> = {
  'node-a:9400': {},
  'node-b:9400': {
    isDown: [
      [150, 153],
      [420, 450],
    ],
  },
  // What it exposes goes on while its target is said to be down.
  'node-c:9400': { isDown: [[500, 520]], keepsTalking: true },
  'node-d:9400': {},
  'node-e:9400': {},
  [ODD_NODE]: {},
};

const EXPOSED: readonly Exposed[] = [
  { gpu: 'GPU-a0', node: 'node-a:9400' },
  {
    gpu: 'GPU-a1',
    node: 'node-a:9400',
    gone: [
      [60, 61],
      [64, 67],
      [200, 290],
      [598, 607],
    ],
  },
  {
    gpu: 'GPU-new',
    node: 'node-a:9400',
    gone: [
      [0, 330],
      [350, 360],
    ],
  },
  { gpu: 'GPU-moved', node: 'node-a:9400', gone: [[400, TICKS]] },
  {
    gpu: 'GPU-moved',
    node: 'node-d:9400',
    gone: [
      [0, 404],
      [640, 650],
    ],
  },
  { gpu: 'GPU-b0', node: 'node-b:9400' },
  { gpu: 'GPU-b1', node: 'node-b:9400', gone: [[445, 460]] },
  { gpu: 'GPU-c0', node: 'node-c:9400' },
  // Scraped at the very instants of ticks: its newest sample is exactly as old as is still fresh.
  { gpu: 'GPU-e0', node: 'node-e:9400', gone: [[70, 80]] },
  { gpu: 'GPU-gone', node: 'node-d:9400', gone: [[500, TICKS]] },
  { gpu: 'GPU-odd', node: ODD_NODE, gone: [[20, 30]] },
];

/** Prometheus is down, and nothing at all is scraped. */
const OUTAGES: readonly Range[] = [
  [100, 104],
  [300, 345],
];
/** Only its heartbeat is missing. */
const NO_HEARTBEAT: readonly Range[] = [
  [230, 233],
  [600, 605],
];

/** After this tick a descriptive label differs, as after an upgrade. */
const DRIVER_UPGRADE = 360;

function within(ranges: readonly Range[] | undefined, tick: number): boolean {
  return ranges?.some(([from, to]) => tick >= from && tick < to) ?? false;
}

interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly value: number;
}

/** Each target is scraped at its own offset within the interval, with a little jitter, as Prometheus does. */
function scrapeMs(tick: number, node: string): number {
  const atMs = START_MS + tick * INTERVAL_MS;
  if (node === 'node-e:9400') return atMs;
  const index = Object.keys(NODES).indexOf(node) + 1;
  return atMs - 4100 + 613 * index + ((tick * 7919 + index * 104_729) % 60);
}

const ticks = Array.from({ length: TICKS }, (_, tick) => tick).filter((tick) => !within(OUTAGES, tick));

const HEARTBEATS: readonly Point[] = ticks
  .filter((tick) => !within(NO_HEARTBEAT, tick))
  .map((tick) => ({
    labels: { __name__: 'up', job: 'prometheus', instance: 'localhost:9090' },
    atMs: scrapeMs(tick, ''),
    value: 1,
  }));

const TARGETS: readonly Point[] = Object.entries(NODES).flatMap(([instance, { isDown }]) =>
  ticks.flatMap((tick) => [
    {
      labels: { __name__: 'up', job: 'gpu', instance },
      atMs: scrapeMs(tick, instance),
      value: within(isDown, tick) ? 0 : 1,
    },
    // Another exporter under the same name is down half of the time; that is nothing to the GPUs.
    { labels: { __name__: 'up', job: 'node', instance }, atMs: scrapeMs(tick, instance), value: tick % 2 },
  ]),
);

const SAMPLES: readonly Point[] = EXPOSED.flatMap(({ gpu: UUID, node: instance, gone }) =>
  ticks.flatMap((tick) => {
    const { isDown, keepsTalking } = NODES[instance] ?? {};
    if (within(gone, tick) || (within(isDown, tick) && !keepsTalking)) return [];
    const driver = tick < DRIVER_UPGRADE ? '550.54.15' : '570.86.15';
    const labels = { __name__: 'DCGM_FI_DEV_GPU_TEMP', job: 'gpu', instance, UUID, driver };
    // Hot all the time: how a GPU is, is not what an agent says of it.
    return [{ labels, atMs: scrapeMs(tick, instance), value: 99 }];
  }),
);

/** The samples as OpenMetrics. */
export function seenHistory(): string {
  const lines = [...HEARTBEATS, ...TARGETS, ...SAMPLES].map((point) => ({ series: seriesOf(point), ...point }));
  const sorted = lines.sort((a, b) => (a.series === b.series ? a.atMs - b.atMs : a.series < b.series ? -1 : 1));
  return `${sorted.map(({ series, value, atMs }) => `${series} ${value} ${(atMs / 1000).toFixed(3)}`).join('\n')}\n# EOF\n`;
}

function seriesOf({ labels: { __name__, ...labels } }: Point): string {
  const escaped = (value: string) => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  return `${__name__}{${Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)}}`;
}

export interface Known {
  readonly rememberMs: number;
  readonly stepMs: number;
}

/** What was seen of the GPU or of the node's GPUs over the span, sample by sample, without PromQL and without the folds. */
export function judgedByHand(charge: { gpu?: string; node?: string }, { fromMs, toMs }: PingSpan, known: Known) {
  const instants: number[] = [];
  const firstMs = (Math.floor((fromMs - SETTLE_MS) / known.stepMs) + 1) * known.stepMs;
  for (let atMs = firstMs; atMs <= toMs - SETTLE_MS; atMs += known.stepMs) instants.push(atMs);
  const range = { sinceMs: (instants[0] ?? 0) - known.stepMs - known.rememberMs, untilMs: instants.at(-1) ?? 0 };
  const gpus = [...byGpu.keys()].filter((gpu) => isIn(charge, samplesOf(gpu), range));
  const judged = gpus.map((gpu) => instants.map((atMs) => stateAt(gpu, atMs, known)));
  const seen = judged.filter((each) => each.some((state) => state !== 'unobserved'));
  const count = (wanted: string) => seen.flat().filter((state) => state === wanted).length;
  const [up, down] = [count('up'), count('down')];
  const watched = instants.length === 0 ? 0 : instants.filter(isWatched).length / instants.length;
  if (up + down === 0) return { uptime: undefined, coverage: 0, watched };
  return { uptime: up / (up + down), coverage: (up + down) / (seen.length * instants.length), watched };
}

/** Whether the GPU, or its node, exposed any of the samples within the range. */
function isIn(
  { gpu, node }: { gpu?: string; node?: string },
  samples: readonly Point[],
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
): boolean {
  const mine = samples.filter(({ labels }) => labels.UUID === gpu || labels.instance === node);
  return mine.some(({ atMs }) => atMs > sinceMs && atMs <= untilMs);
}

type State = 'up' | 'down' | 'unobserved';

const states = new Map<string, State>();

/** Each is judged once, however many spans it is in. */
function stateAt(gpu: string, atMs: number, known: Known): State {
  const key = `${gpu} ${atMs} ${known.rememberMs}`;
  const state = states.get(key) ?? judge(gpu, atMs, known);
  states.set(key, state);
  return state;
}

function judge(gpu: string, atMs: number, { rememberMs }: Known): State {
  if (!isWatched(atMs)) return 'unobserved';
  const mine = samplesOf(gpu);
  const fresh = mine.filter((point) => point.atMs <= atMs && atMs - point.atMs <= FRESH_MS);
  if (fresh.some(({ labels }) => newestBefore(targetOf(labels), atMs)?.value !== 0)) return 'up';
  const isSteady = [0, 1, 2].every((ago) => isWatched(atMs - ago * INTERVAL_MS));
  const lastMs = newestBefore(mine, atMs, rememberMs + INTERVAL_MS)?.atMs;
  // Memory ends so long after the first tick that saw the newest sample.
  const isKnown = lastMs !== undefined && atMs < Math.ceil(lastMs / INTERVAL_MS) * INTERVAL_MS + rememberMs;
  return isKnown && isSteady ? 'down' : 'unobserved';
}

function isWatched(atMs: number): boolean {
  return newestBefore(HEARTBEATS, atMs, FRESH_MS) !== undefined;
}

function newestBefore(points: readonly Point[], atMs: number, withinMs = LOOKBACK_MS): Point | undefined {
  return points.findLast((point) => point.atMs <= atMs && atMs - point.atMs <= withinMs);
}

const byGpu = Map.groupBy(
  [...SAMPLES].sort((a, b) => a.atMs - b.atMs),
  ({ labels }) => labels.UUID ?? '',
);

function samplesOf(gpu: string): readonly Point[] {
  return byGpu.get(gpu) ?? [];
}

const byTarget = Map.groupBy(TARGETS, ({ labels }) => `${labels.job} ${labels.instance}`);

function targetOf({ job, instance }: Point['labels']): readonly Point[] {
  return byTarget.get(`${job} ${instance}`) ?? [];
}
