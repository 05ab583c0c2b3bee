/** NVLinks: each link with its error counters, the sums over all of them, and the rate of their traffic. */

import type { GpuReadings } from '../../readings.ts';
import type { NvlinkReadings } from '../../snapshot.ts';
import { count } from './bounds.ts';
import { code } from './codes.ts';
import type { Inquiry } from './inquiry.ts';
import type { Handle } from './slots.ts';

const maxLinks = 36;
const kibPerMegabyte = 1000;

const errorCounters = [
  { name: 'replayErrors', counter: 0, total: 'nvlinkReplayErrors' },
  { name: 'recoveryErrors', counter: 1, total: 'nvlinkRecoveryErrors' },
  { name: 'crcFlitErrors', counter: 2, total: 'nvlinkCrcFlitErrors' },
  { name: 'crcDataErrors', counter: 3, total: 'nvlinkCrcDataErrors' },
] as const;

type ErrorCounter = (typeof errorCounters)[number];

/** Every link of a device; undefined where it has none. */
export function readNvlinks(inquiry: Inquiry, device: Handle): readonly NvlinkReadings[] | undefined {
  const links: NvlinkReadings[] = [];
  let counters: readonly ErrorCounter[] = errorCounters;
  for (let link = 0; link < maxLinks; link++) {
    const state = inquiry.ask('nvmlDeviceGetNvLinkState', device, link);
    if (state.code === code.notSupported || state.code === code.invalidArgument) break;
    if (state.value === undefined) continue;
    if (state.value === 0) links.push({ link, isActive: false });
    else {
      const answers = askCounters(inquiry, { device, link, counters });
      // What the card does not count on one link, it counts on none.
      counters = answers.filter(({ isSupported }) => isSupported).map(({ counter }) => counter);
      links.push({ link, isActive: true, ...Object.fromEntries(answers.flatMap(({ entry }) => entry)) });
    }
  }
  return links.length > 0 ? links : undefined;
}

interface LinkQuestion {
  readonly device: Handle;
  readonly link: number;
  readonly counters: readonly ErrorCounter[];
}

function askCounters(inquiry: Inquiry, { device, link, counters }: LinkQuestion) {
  return counters.map((counter) => {
    const answer = inquiry.ask('nvmlDeviceGetNvLinkErrorCounter', device, link, counter.counter);
    const value = count(answer.value);
    return {
      counter,
      isSupported: answer.code !== code.notSupported && answer.code !== code.functionNotFound,
      entry: value === undefined ? [] : [[counter.name, value] as const],
    };
  });
}

/** The sums over all links, for cards that do not count them themselves. */
export function sumLinkErrors(links: readonly NvlinkReadings[]): GpuReadings {
  const entries = errorCounters.map(({ name, total }) => [total, sum(links.map((link) => link[name]))] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

interface Traffic {
  readonly uuid: string;
  readonly transmitKib: number | undefined;
  readonly receiveKib: number | undefined;
  readonly atUs: number;
}

export interface TrafficMeter {
  /** Megabytes per second since the last call for this GPU, both directions together; 0 at the first, as DCGM has it. */
  rate(traffic: Traffic): number | undefined;
}

export function createTrafficMeter(): TrafficMeter {
  const last = new Map<string, { readonly kib: number; readonly atUs: number; readonly rate: number }>();
  return {
    rate: ({ uuid, transmitKib, receiveKib, atUs }) => {
      if (transmitKib === undefined || receiveKib === undefined) return undefined;
      const kib = transmitKib + receiveKib;
      const before = last.get(uuid);
      const rate = before === undefined ? 0 : rateBetween(before, { kib, atUs });
      last.set(uuid, { kib, atUs, rate });
      return rate;
    },
  };
}

interface Count {
  readonly kib: number;
  readonly atUs: number;
}

// A driver that has not counted anew gives the same instant again: the last rate still holds. A counter that fell began anew.
function rateBetween(before: Count & { readonly rate: number }, { kib, atUs }: Count): number {
  if (kib < before.kib) return 0;
  const seconds = (atUs - before.atUs) / 1e6;
  return seconds > 0 ? Math.trunc((kib - before.kib) / seconds / kibPerMegabyte) : before.rate;
}
