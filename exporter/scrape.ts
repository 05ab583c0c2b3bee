/** The page a scrape gets: rendered when something has changed, kept in memory, compressed once. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CollectorState } from './collector.ts';
import { renderFamilies } from './metrics/exposition.ts';
import { gpuFamilies } from './metrics/families.ts';
import type { SelfMetrics, SelfReadings } from './metrics/self-metrics.ts';
import type { Snapshot } from './snapshot.ts';

const compress = promisify(gzip);

export interface ScrapePage {
  readonly text: Buffer;
  /** The same text, gzip. Compressed at the first call. */
  gzipped(): Promise<Buffer>;
}

/** What can be said right now: the state of the collector, judged by the clock. */
export interface Reading {
  readonly state: CollectorState;
  readonly sampleAgeMs: number | undefined;
  /** The snapshot to publish; undefined while there is none that is fresh. */
  readonly published: Snapshot | undefined;
}

export interface ScrapeOptions {
  readonly state: () => CollectorState;
  readonly selfMetrics: SelfMetrics;
  readonly source: string;
  readonly hostname: string;
  /** Readings older than this are withheld: Prometheus then sees the series go stale instead of a frozen value. */
  readonly maxAgeMs: number;
  readonly now: () => number;
}

export interface Scrape {
  reading(): Reading;
  page(): Promise<ScrapePage>;
}

// The age and process metrics on a page may lag by this much; it bounds rendering whatever the rate of scrapes.
const keepPageMs = 1000;

export function createScrape(options: ScrapeOptions): Scrape {
  let kept: { readonly state: CollectorState; readonly atMs: number; readonly page: Promise<ScrapePage> } | undefined;
  const gpuText = createGpuText(options.hostname);

  function page(): Promise<ScrapePage> {
    const state = options.state();
    const atMs = options.now();
    if (kept?.state !== state || atMs - kept.atMs >= keepPageMs) {
      kept = { state, atMs, page: renderPage(readAt(options, state, atMs), options, gpuText) };
      kept.page.catch(() => {
        kept = undefined;
      });
    }
    return kept.page;
  }

  return { page, reading: () => readAt(options, options.state(), options.now()) };
}

function readAt({ maxAgeMs }: ScrapeOptions, state: CollectorState, atMs: number): Reading {
  const { snapshot } = state;
  if (snapshot === undefined) return { state, sampleAgeMs: undefined, published: undefined };
  const sampleAgeMs = Math.max(0, atMs - snapshot.takenAtMs);
  return { state, sampleAgeMs, published: sampleAgeMs <= maxAgeMs ? snapshot : undefined };
}

async function renderPage(
  reading: Reading,
  { selfMetrics, source }: ScrapeOptions,
  gpuText: (snapshot: Snapshot | undefined) => string,
): Promise<ScrapePage> {
  const self = await selfMetrics.render(selfReadings(reading, source));
  const text = Buffer.from(gpuText(reading.published) + self);
  let gzipped: Promise<Buffer> | undefined;
  return { text, gzipped: () => (gzipped ??= compress(text)) };
}

function selfReadings({ state, sampleAgeMs, published }: Reading, source: string): SelfReadings {
  return {
    source,
    isSourceUp: published !== undefined && state.failure === undefined,
    gpus: published?.gpus.length ?? 0,
    collectSeconds: seconds(state.durationMs),
    sampleAgeSeconds: seconds(sampleAgeMs),
    failures: state.failures,
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

// A snapshot never changes, so its text is rendered once however many pages show it.
function createGpuText(hostname: string): (snapshot: Snapshot | undefined) => string {
  let last: { readonly snapshot: Snapshot; readonly text: string } | undefined;
  return (snapshot) => {
    if (snapshot === undefined) return '';
    if (last?.snapshot !== snapshot) last = { snapshot, text: renderFamilies(gpuFamilies(snapshot, hostname)) };
    return last.text;
  };
}
