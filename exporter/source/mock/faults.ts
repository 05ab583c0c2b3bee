/** What can be made to go wrong: the name of each fault, what it shows, what may be said about it, and the effects it has. */

import { z } from 'zod';
import { type Behaviour, behaviourNames, behaviours } from './behaviours.ts';
import type { Effect } from './effects.ts';
import { sensorNames } from './sensors.ts';

/** Whom a fault strikes: one GPU, or a node with all its GPUs. */
type Scope = 'gpu' | 'node';

export interface FaultKind {
  readonly scope: Scope;
  /** What it shows, for people. */
  readonly what: string;
  /** What may be said about it, by name; each has a default. The description of a parameter says what it may be. */
  readonly parameters: Parameters;
  /** How long it lasts when nobody says: Infinity until it is taken back, 0 for what happens at an instant. */
  readonly lastsMs: number;
  /** `values` by parameter, not checked yet; throws a ZodError that names the parameters that are wrong. */
  readonly effects: (values: Readonly<Record<string, unknown>>) => readonly Effect[];
}

type Parameters = Readonly<Record<string, z.ZodType>>;

interface Row<P extends Parameters> extends Pick<FaultKind, 'scope' | 'what'> {
  readonly parameters: P;
  readonly lastsMs?: number;
  readonly effects: (values: z.infer<z.ZodObject<P>>) => readonly Effect[];
}

const sensor = z.enum(sensorNames);
const perMinute = (most: number) => z.number().min(0).max(most);
const never = Number.POSITIVE_INFINITY;
const driverLoadMs = 30_000;

/** Every fault by its name. A fault may be asked of the control endpoint and planned in a timeline. */
export const faultKinds: ReadonlyMap<string, FaultKind> = new Map([
  simple('hot', {
    what: 'heats at 5 °C a second to 3 °C above its slowdown threshold, an A100 to 92 °C; then slows down to 210 MHz',
    effects: [{ kind: 'ramp', toCelsius: undefined, celsiusPerMinute: 300 }],
  }),
  simple('busy', { what: '99 % utilization, 97 % of the memory in use', effects: [{ kind: 'occupied' }] }),
  simple('lost', { what: 'fallen off the bus: no series at all, XID 79', effects: [{ kind: 'gone' }] }),
  simple('power', {
    what: '1.175 times its power limit, an A100 470 W',
    effects: [{ kind: 'spike', timesLimit: 1.175 }],
  }),
  simple('ecc', {
    what: 'one more uncorrectable error, one remapped row, XID 48; its end resets the GPU',
    effects: [{ kind: 'broken-row' }],
  }),
  simple('off-the-bus', { what: 'the same as lost', effects: [{ kind: 'gone' }] }),
  row('xid', {
    scope: 'gpu',
    what: 'raises one XID',
    lastsMs: 0,
    parameters: { code: z.int().min(1).max(999).default(31).describe('an XID, a whole number from 1 to 999') },
    effects: ({ code }) => [{ kind: 'xid', code }],
  }),
  row('ecc-storm', {
    scope: 'gpu',
    what: 'memory errors at a steady rate; XID 48 for each uncorrectable one',
    parameters: {
      correctable_per_minute: perMinute(100_000).default(60).describe('correctable errors a minute, 0 to 100000'),
      uncorrectable_per_minute: perMinute(10).default(0).describe('uncorrectable errors a minute, 0 to 10'),
    },
    effects: ({ correctable_per_minute, uncorrectable_per_minute }) => [
      {
        kind: 'errors',
        correctablePerHour: correctable_per_minute * 60,
        uncorrectablePerHour: uncorrectable_per_minute * 60,
        growsEveryHours: never,
      },
    ],
  }),
  row('thermal-ramp', {
    scope: 'gpu',
    what: 'heats along a straight line from its idle temperature; from its slowdown threshold on it slows down to 210 MHz',
    parameters: {
      to: z.int().min(30).max(120).optional().describe('a whole number of °C, 30 to 120'),
      per_minute: z.number().min(0.1).max(600).default(3).describe('°C a minute, 0.1 to 600'),
    },
    effects: ({ to, per_minute }) => [{ kind: 'ramp', toCelsius: to, celsiusPerMinute: per_minute }],
  }),
  row('sensor-blank', {
    scope: 'gpu',
    what: 'sensors without a value: left out, or the number a driver writes for none',
    parameters: {
      sensors: z
        .union([sensor.transform((name) => [name]), z.array(sensor).min(1)])
        .default(['gpu-temperature'])
        .describe(`a sensor, or a list of them: ${sensorNames.join(', ')}`),
      shows: z.enum(['absent', 'sentinel']).default('absent').describe('absent or sentinel'),
    },
    effects: ({ sensors, shows }) => [{ kind: 'blank', sensors, shows }],
  }),
  row('driver-reload', {
    scope: 'node',
    what: 'no GPU of the node can be read; afterwards the counters that live in the driver begin anew',
    lastsMs: driverLoadMs,
    parameters: {},
    effects: () => [{ kind: 'driver-reload' }],
  }),
  row('exporter-hang', {
    scope: 'node',
    what: 'the GPUs work, but reading them and scraping the node never ends',
    parameters: {},
    effects: () => [{ kind: 'exporter-hang' }],
  }),
  row('node-down', {
    scope: 'node',
    what: 'the node is off and refuses connections; it comes back with a freshly loaded driver',
    parameters: {},
    effects: () => [{ kind: 'node-down' }],
  }),
]);

/** Behaviours that begin and end like faults. */
export const behaviourKinds: ReadonlyMap<string, FaultKind> = new Map(
  behaviourNames.map((name) => simple(name, behaviours[name])),
);

function simple(name: string, { what, effects }: Behaviour): readonly [string, FaultKind] {
  return row(name, { scope: 'gpu', what, parameters: {}, effects: () => effects });
}

function row<P extends Parameters>(name: string, written: Row<P>): readonly [string, FaultKind] {
  const { scope, what, parameters, lastsMs = never } = written;
  const schema = z.strictObject(parameters);
  return [name, { scope, what, parameters, lastsMs, effects: (values) => written.effects(schema.parse(values)) }];
}
