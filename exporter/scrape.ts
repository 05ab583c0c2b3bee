/** The pages scrapes get: rendered when something has changed, kept in memory, compressed once. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CollectorState } from './collector.ts';
import { type Family, renderText, textContentType } from './metrics/exposition.ts';
import type { Format } from './metrics/negotiation.ts';
import { openMetricsContentType, openMetricsEnd, renderOpenMetrics } from './metrics/openmetrics.ts';
import { familiesOf, type ProfileName, type Profiles } from './metrics/profiles.ts';
import type { SelfMetrics, SelfReadings } from './metrics/self-metrics.ts';
import type { Presence } from './presence.ts';
import type { Snapshot, SourceStatus } from './snapshot.ts';
import { firstWithin } from './waiting.ts';

export interface ScrapePage {
  readonly contentType: string;
  readonly text: Buffer;
  /** The same text, gzip. Compressed at the first call. */
  gzipped(): Promise<Buffer>;
}

export interface PageRequest {
  readonly profiles: Profiles;
  readonly format: Format;
  /** How long the page may be waited for while there are no readings yet, in milliseconds. */
  readonly patienceMs: number;
}

/** What can be said right now: the state of the collector, judged by the clock. */
export interface Reading {
  readonly state: CollectorState;
  readonly sampleAgeMs: number | undefined;
  /** The snapshot to publish; undefined while there is none that is fresh. */
  readonly published: Snapshot | undefined;
}

/** What a profile is made of. No clock: a page is rendered anew only when one of these has changed. */
export interface ProfileInput {
  /** Undefined while there is none that is fresh enough to publish. */
  readonly snapshot: Snapshot | undefined;
  /** Goes on while there is no snapshot. */
  readonly presence: Presence;
}

export interface ScrapeOptions {
  readonly state: () => CollectorState;
  readonly profiles: Readonly<Record<ProfileName, (input: ProfileInput) => readonly Family[]>>;
  readonly defaultProfiles: Profiles;
  readonly selfMetrics: SelfMetrics;
  readonly source: string;
  /** Readings older than this are withheld: Prometheus then sees the series go stale instead of a frozen value. */
  readonly maxAgeMs: number;
  readonly now: () => number;
  /** What a page waits for as long as it may: the first round, or for a collector that is not started a fresh one. */
  readonly upToDate?: () => Promise<unknown>;
  readonly status?: () => SourceStatus | undefined;
  /** Whether the state file can be written; absent where none is kept. */
  readonly isStateFileUp?: () => boolean;
  readonly jobErrors?: () => number | undefined;
  /** How far the age and process metrics on a page may lag; it bounds rendering whatever the rate of scrapes. 0 keeps no page. */
  readonly keepMs?: number;
}

export interface Scrape {
  reading(): Reading;
  /** The default profiles in text format, at once, unless the request says otherwise. */
  page(request?: Partial<PageRequest>): Promise<ScrapePage>;
}

export function createScrape(options: ScrapeOptions): Scrape {
  const { state, now, upToDate, keepMs = 1000 } = options;
  let kept: Generation | undefined;

  function current(): Generation {
    const atMs = now();
    if (kept?.reading.state === state() && Math.abs(atMs - kept.atMs) < keepMs) return kept;
    const next = nextGeneration(kept, readAt(options, state(), atMs), atMs);
    kept = keepMs > 0 ? next : undefined;
    return next;
  }

  async function page({ patienceMs = 0, ...request }: Partial<PageRequest> = {}): Promise<ScrapePage> {
    if (upToDate !== undefined) await settledWithin(upToDate(), patienceMs);
    const { profiles = options.defaultProfiles, format = 'text' } = request;
    return pageOf(current(), { profiles, format }, options);
  }

  return { page, reading: () => readAt(options, state(), now()) };
}

function readAt({ maxAgeMs }: ScrapeOptions, state: CollectorState, atMs: number): Reading {
  const { snapshot } = state;
  if (snapshot === undefined) return { state, sampleAgeMs: undefined, published: undefined };
  const sampleAgeMs = Math.max(0, atMs - snapshot.takenAtMs);
  return { state, sampleAgeMs, published: sampleAgeMs <= maxAgeMs ? snapshot : undefined };
}

/** Pages that say the same, each made when it is first asked for. */
interface Generation {
  readonly reading: Reading;
  readonly atMs: number;
  /** What is said of the GPUs; outlives the generation while nothing new is known of them. */
  readonly gpuTexts: Map<string, Buffer>;
  readonly pages: Map<string, Promise<ScrapePage>>;
}

function nextGeneration(last: Generation | undefined, reading: Reading, atMs: number): Generation {
  const isSame =
    last?.reading.published === reading.published && last?.reading.state.presence === reading.state.presence;
  return { reading, atMs, gpuTexts: isSame && last !== undefined ? last.gpuTexts : new Map(), pages: new Map() };
}

type Shape = Pick<PageRequest, 'profiles' | 'format'>;

function pageOf(generation: Generation, shape: Shape, options: ScrapeOptions): Promise<ScrapePage> {
  const key = `${shape.format} ${shape.profiles}`;
  const known = generation.pages.get(key);
  if (known !== undefined) return known;
  const page = renderPage(generation, shape, options);
  generation.pages.set(key, page);
  page.catch(() => generation.pages.delete(key));
  return page;
}

const formats = {
  text: { contentType: textContentType, render: renderText, end: '' },
  openmetrics: { contentType: openMetricsContentType, render: renderOpenMetrics, end: openMetricsEnd },
} as const satisfies Record<Format, unknown>;

async function renderPage(generation: Generation, shape: Shape, options: ScrapeOptions): Promise<ScrapePage> {
  const { contentType, render, end } = formats[shape.format];
  const gpuText = gpuTextOf(generation, shape, options);
  const self = await options.selfMetrics.families(selfReadings(generation.reading, options));
  const text = Buffer.concat([gpuText, Buffer.from(render(self) + end)]);
  let gzipped: Promise<Buffer> | undefined;
  return { contentType, text, gzipped: () => (gzipped ??= compress(text)) };
}

function gpuTextOf({ gpuTexts, reading }: Generation, { profiles, format }: Shape, options: ScrapeOptions): Buffer {
  const key = `${format} ${profiles}`;
  const known = gpuTexts.get(key);
  if (known !== undefined) return known;
  const input = { snapshot: reading.published, presence: reading.state.presence };
  const text = Buffer.from(formats[format].render(familiesOf(profiles, options.profiles, input)));
  gpuTexts.set(key, text);
  return text;
}

// Pages repeat themselves so much that more effort saves no bytes, only takes three times as long.
function compress(text: Buffer): Promise<Buffer> {
  return promisify(gzip)(text, { level: 3 });
}

function selfReadings({ state, sampleAgeMs, published }: Reading, options: ScrapeOptions): SelfReadings {
  return {
    source: options.source,
    isSourceUp: published !== undefined && state.failure === undefined,
    gpus: published?.gpus.length ?? 0,
    collectSeconds: seconds(state.durationMs),
    sampleAgeSeconds: seconds(sampleAgeMs),
    failures: state.failures,
    callErrors: state.snapshot?.health.callErrors,
    status: options.status?.(),
    isStateFileUp: options.isStateFileUp?.(),
    jobErrors: options.jobErrors?.(),
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

const unsettled = Symbol('unsettled');

// What has settled already costs no timer.
async function settledWithin(work: Promise<unknown>, patienceMs: number): Promise<void> {
  if (patienceMs <= 0 || (await Promise.race([work, unsettled])) !== unsettled) return;
  await firstWithin(work, patienceMs);
}
