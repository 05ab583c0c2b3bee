/** What a simulating exporter says about itself: what is going on, and what can be asked of it. */
import { z } from 'zod';

const Kind = z.object({
  name: z.string(),
  what: z.string(),
  scope: z.enum(['gpu', 'node', 'fleet']),
  /** Null while only a recovery ends it. */
  seconds: z.number().nullable(),
  parameters: z.record(z.string(), z.string()).default({}),
});

const Place = z.object({
  node: z.string().nullable(),
  gpu: z.number().nullable(),
  active_seconds: z.number(),
  remaining_seconds: z.number().nullable(),
});

export const SimulationStatus = z.object({
  active: z.array(Place.extend({ fault: z.string() })),
  scenarios: z.array(Place.extend({ scenario: z.string() })),
  available: z.object({ faults: z.array(Kind), behaviours: z.array(Kind), scenarios: z.array(Kind) }),
  fleet: z.object({ nodes: z.number(), gpus: z.number(), first_node: z.string() }),
  clock: z.object({ elapsed_seconds: z.number(), speed: z.number() }),
});

export type SimulationStatus = z.infer<typeof SimulationStatus>;
export type SimulationKind = z.infer<typeof Kind>;

/** Everything there is to simulate, and what is going on. */
export function statusText(status: SimulationStatus): string {
  const { available, active, scenarios } = status;
  const going = [
    ...scenarios.map(
      (one) => `  scenario ${one.scenario}, ${placeText(one, status)}, ${endText(one.remaining_seconds)}`,
    ),
    ...active.map((one) => `  ${one.fault}, ${placeText(one, status)}, ${endText(one.remaining_seconds)}`),
  ];
  return [
    'Scenarios, each with an end: gpu-uptime simulate NAME [--gpu N]',
    ...available.scenarios.map(kindText),
    '',
    'Faults, until they are taken back: gpu-uptime simulate NAME --gpu N [--seconds S]',
    ...available.faults.map(kindText),
    '',
    'Behaviours, until they are taken back: gpu-uptime simulate behaviour NAME --gpu N [--seconds S]',
    ...available.behaviours.map(kindText),
    '',
    ...(going.length === 0 ? ['Nothing is being simulated now.'] : ['Going on now:', ...going]),
  ].join('\n');
}

function kindText({ name, what, scope, seconds, parameters }: SimulationKind): string {
  const length = seconds === null || seconds === 0 ? '' : ` (${durationText(seconds)})`;
  const place = { gpu: '', node: ' For a whole node: --node NAME.', fleet: ' For the whole fleet.' }[scope];
  const settings = Object.entries(parameters).map(([key, meaning]) => `\n${' '.repeat(20)}--set ${key}=…  ${meaning}`);
  return `  ${name.padEnd(16)}  ${what}${length}.${place}${settings.join('')}`;
}

/** Whom something strikes, as people say it. */
export function placeText(
  place: { readonly node: string | null; readonly gpu: number | null },
  { fleet }: SimulationStatus,
): string {
  const { node, gpu } = place;
  const isPlain = fleet.nodes === 1;
  if (gpu !== null) return node === null || isPlain ? `GPU ${gpu}` : `GPU ${gpu} of ${node}`;
  return node === null ? 'the fleet' : isPlain ? 'the node' : node;
}

function endText(remainingSeconds: number | null): string {
  return remainingSeconds === null ? 'until it is taken back' : `${durationText(remainingSeconds)} left`;
}

/** `60 s`, `9 min`, `12 h`; never rounded to something else. */
export function durationText(seconds: number): string {
  const rest = Math.round(seconds * 1000) / 1000;
  if (rest >= 3600 && rest % 3600 === 0) return `${rest / 3600} h`;
  if (rest > 60 && rest % 60 === 0) return `${rest / 60} min`;
  return rest > 120 ? `${Math.floor(rest / 60)} min ${Math.round(rest % 60)} s` : `${rest} s`;
}
