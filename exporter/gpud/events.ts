/** GPUd's /v1/events: what happened to the GPUs, by component. */

import type { PresenceEvent } from '../presence.ts';
import { type ComponentEvents, type GpudEvent, timeText } from './api.ts';
import type { GpudReading } from './reading.ts';
import type { Slowdown } from './slowdown.ts';
import { xidSeverity } from './xid-severity.ts';
import { xidMessage } from './xid-state.ts';

export interface EventQuery {
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

interface Happening {
  readonly atMs: number;
  readonly event: GpudEvent;
}

/** One entry per named component, with the events from `fromMs` to `toMs`, both included; the newest first. */
export function events(reading: GpudReading, { names, fromMs, toMs }: EventQuery): readonly ComponentEvents[] {
  const [startTime, endTime] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const within = happenings(reading)
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .toSorted((a, b) => b.atMs - a.atMs);
  return names.map((component) => ({
    component,
    startTime,
    endTime,
    events: within.filter(({ event }) => event.component === component).map(({ event }) => event),
  }));
}

function happenings(reading: GpudReading): readonly Happening[] {
  const { presence, slowdowns } = reading;
  return [...presence.events.map((event) => presenceHappening(event, reading)), ...slowdowns.map(slowdownHappening)];
}

function presenceHappening(event: PresenceEvent, reading: GpudReading): Happening {
  const { atMs } = event;
  return { atMs, event: { ...describe(event, reading), time: timeText(atMs) } };
}

const counts = 'accelerator-nvidia-gpu-counts';
const xids = 'accelerator-nvidia-error-xid';

function describe(event: PresenceEvent, reading: GpudReading): Omit<GpudEvent, 'time'> {
  switch (event.kind) {
    case 'xid': {
      const { type } = xidSeverity(event.code);
      return { component: xids, name: 'error_xid', type, message: xidMessage(event, reading) };
    }
    case 'counters-restarted': {
      const message = 'the driver was loaded anew; its counters started again';
      return { component: xids, name: 'driver_loaded', type: 'Info', message };
    }
    case 'lost':
      return { component: counts, name: 'gpu_lost', type: 'Fatal', message: `${event.uuid} is gone: ${event.reason}` };
    case 'returned':
      return { component: counts, name: 'gpu_returned', type: 'Info', message: `${event.uuid} is back` };
    case 'appeared':
      return {
        component: counts,
        name: 'gpu_appeared',
        type: 'Info',
        message: `${event.uuid} was seen for the first time`,
      };
  }
}

function slowdownHappening({ atMs, uuid, causes }: Slowdown): Happening {
  const component = 'accelerator-nvidia-hw-slowdown';
  const message = `${uuid}: ${causes.join(', ')}`;
  return { atMs, event: { component, time: timeText(atMs), name: 'hw_slowdown', type: 'Warning', message } };
}
