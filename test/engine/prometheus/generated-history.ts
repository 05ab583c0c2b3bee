/** An hour of fleet history as OpenMetrics, with everything that goes wrong in one: for comparing windows with PromQL. */

export interface GeneratedHistory {
  readonly text: string;
  readonly startMs: number;
  readonly ticks: number;
}

const INTERVAL_MS = 5000;
const TICKS = 720;
/** A multiple of the interval, long ago: blocks of the past are never compacted away while a test runs. */
const START_MS = 1_700_000_000_000;
const NODES = ['node-a:9400', 'node-b:9400', 'node-c:9400'];

/** Spans of ticks, end exclusive. */
type Span = readonly [number, number];

const OBSERVER_OUTAGES: readonly Span[] = [
  [100, 104],
  [300, 380],
  [500, 501],
];
const TARGET_DOWN: Readonly<Record<string, readonly Span[]>> = {
  'node-b:9400': [
    [150, 153],
    [420, 450],
  ],
};
const GONE: Readonly<Record<string, readonly Span[]>> = {
  'GPU-a1': [
    [60, 61],
    [200, 290],
    [498, 505],
  ],
  'GPU-b0': [[370, 395]],
  'GPU-c0': [
    [298, 310],
    [600, 720],
  ],
};
const HOT: Readonly<Record<string, readonly Span[]>> = {
  'GPU-a0': [
    [30, 33],
    [495, 520],
  ],
  'GPU-b1': [[148, 160]],
};
const BUSY: Readonly<Record<string, readonly Span[]>> = {
  'GPU-a0': [[32, 40]],
  'GPU-c1': [
    [10, 12],
    [350, 400],
  ],
};
/** After this tick the driver label differs, as after an upgrade: the same GPUs under new label sets. */
const DRIVER_UPGRADE = 360;

function within(spans: readonly Span[] | undefined, tick: number): boolean {
  return spans?.some(([from, to]) => tick >= from && tick < to) ?? false;
}

interface Point {
  readonly series: string;
  readonly atMs: number;
  readonly value: number;
}

/** Each target is scraped at its own offset within the interval, with a little jitter, as Prometheus does. */
export function generateHistory(): GeneratedHistory {
  const points: Point[] = [];
  for (let tick = 0; tick < TICKS; tick++) {
    if (within(OBSERVER_OUTAGES, tick)) continue;
    points.push({ series: 'up{job="prometheus",instance="localhost:9090"}', atMs: scrapeMs(tick, 0), value: 1 });
    for (const [index, node] of NODES.entries()) points.push(...scrapeNode(tick, node, index));
  }
  return { text: render(points), startMs: START_MS, ticks: TICKS };
}

function scrapeMs(tick: number, target: number): number {
  const jitter = (tick * 7919 + target * 104_729) % 60;
  return START_MS + tick * INTERVAL_MS - 4100 + target * 1013 + jitter;
}

function scrapeNode(tick: number, node: string, index: number): readonly Point[] {
  const atMs = scrapeMs(tick, index + 1);
  const isDown = within(TARGET_DOWN[node], tick);
  // Another exporter under the same instance label is down half of the time; that is nothing to the GPUs.
  const other = { series: `up{job="node",instance="${node}"}`, atMs, value: tick % 2 };
  const up = { series: `up{job="gpu",instance="${node}"}`, atMs, value: isDown ? 0 : 1 };
  if (isDown) return [up, other];
  const letter = node.charAt(5);
  return [up, other, ...[0, 1].flatMap((gpu) => scrapeGpu(tick, { node, uuid: `GPU-${letter}${gpu}`, gpu, atMs }))];
}

interface ScrapedGpu {
  readonly node: string;
  readonly uuid: string;
  readonly gpu: number;
  readonly atMs: number;
}

function scrapeGpu(tick: number, { node, uuid, gpu, atMs }: ScrapedGpu): readonly Point[] {
  if (within(GONE[uuid], tick)) return [];
  const driver = tick < DRIVER_UPGRADE ? '550.54.15' : '570.86.15';
  const labels = `{gpu="${gpu}",UUID="${uuid}",modelName="NVIDIA A100",DCGM_FI_DRIVER_VERSION="${driver}",job="gpu",instance="${node}"}`;
  const temperature = within(HOT[uuid], tick) ? 91 : 60;
  const utilization = within(BUSY[uuid], tick) ? 99 : 50;
  return [
    { series: `DCGM_FI_DEV_GPU_TEMP${labels}`, atMs, value: temperature },
    { series: `DCGM_FI_DEV_GPU_UTIL${labels}`, atMs, value: utilization },
  ];
}

/** OpenMetrics wants each family's samples together, and each series in order of time. */
function render(points: readonly Point[]): string {
  const sorted = [...points].sort((a, b) => (a.series === b.series ? a.atMs - b.atMs : a.series < b.series ? -1 : 1));
  const lines = sorted.map(({ series, atMs, value }) => `${series} ${value} ${(atMs / 1000).toFixed(3)}`);
  return `${lines.join('\n')}\n# EOF\n`;
}
