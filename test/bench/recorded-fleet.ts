/** Two hours and more of a smaller fleet as OpenMetrics, for a real Prometheus: GPUs run hot, turn busy, vanish and return. */

export const RECORDED = {
  gpus: 240,
  gpusPerNode: 8,
  intervalMs: 5000,
  /** A multiple of the interval, long ago: blocks of the past are never compacted away meanwhile. */
  startMs: 1_700_000_000_000,
  /** 2 h 10 min. */
  ticks: 1560,
} as const;

/** Every ninth GPU has a fault of each kind once in a while; the rest are well. */
function isFaulty(gpu: number, tick: number, everyTicks: number, forTicks: number): boolean {
  return gpu % 9 === 0 && (tick + gpu * 37) % everyTicks < forTicks;
}

/** A series as OpenMetrics, one line per tick at which it has a sample. */
function renderSeries(series: string, valueAt: (tick: number) => number | undefined): string {
  let text = '';
  for (let tick = 0; tick < RECORDED.ticks; tick++) {
    const value = valueAt(tick);
    const seconds = (RECORDED.startMs + tick * RECORDED.intervalMs - 1500) / 1000;
    if (value !== undefined) text += `${series} ${value} ${seconds.toFixed(3)}\n`;
  }
  return text;
}

const GPUS: readonly number[] = Array.from({ length: RECORDED.gpus }, (_, gpu) => gpu);

function nodeOf(gpu: number): string {
  return `node-${Math.floor(gpu / RECORDED.gpusPerNode)}:9400`;
}

function gpuSeries(metric: string, gpu: number, valueAt: (tick: number) => number): string {
  const index = gpu % RECORDED.gpusPerNode;
  const labels = `gpu="${index}",UUID="GPU-${gpu}",modelName="NVIDIA A100",job="gpu",instance="${nodeOf(gpu)}"`;
  return renderSeries(`${metric}{${labels}}`, (tick) => (isFaulty(gpu, tick, 977, 40) ? undefined : valueAt(tick)));
}

/** The text in parts, families together and each series in order of time, as promtool wants it. */
export function* recordFleet(): Generator<string> {
  for (const gpu of GPUS)
    yield gpuSeries('DCGM_FI_DEV_GPU_TEMP', gpu, (tick) => (isFaulty(gpu, tick, 613, 9) ? 91 : 60));
  for (const gpu of GPUS)
    yield gpuSeries('DCGM_FI_DEV_GPU_UTIL', gpu, (tick) => (isFaulty(gpu, tick, 401, 5) ? 99 : 50));
  yield renderSeries('up{job="prometheus",instance="localhost:9090"}', () => 1);
  for (const node of new Set(GPUS.map(nodeOf))) yield renderSeries(`up{job="gpu",instance="${node}"}`, () => 1);
  yield '# EOF\n';
}
