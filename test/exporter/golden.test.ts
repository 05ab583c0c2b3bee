import { describe, expect, it } from 'vitest';
import { defaultSelection } from '../../exporter/metrics/catalog.ts';
import { parseDevices } from '../../exporter/metrics/dcgm/devices.ts';
import { renderText } from '../../exporter/metrics/exposition.ts';
import type { ProfileName } from '../../exporter/metrics/profiles.ts';
import { createNodeProfiles } from '../../exporter/node-profiles.ts';
import { initialPresence, observe } from '../../exporter/presence.ts';
import { createSimulationClock } from '../../exporter/source/mock/clock.ts';
import { createSimulatedFleet } from '../../exporter/source/mock/fleet.ts';
import { planFleet } from '../../exporter/source/mock/timeline.ts';
import { startExporterProcess } from './exporter-process.ts';
import { lint } from './metrics/lint.ts';

interface Occasion {
  readonly atMs: number;
  /** A timeline with what happens to the two GPUs. */
  readonly timeline?: string;
  readonly seed?: number;
}

/** What two simulated GPUs publish under one profile. */
async function pageOf(profile: ProfileName, { atMs, timeline = '', seed = 42 }: Occasion): Promise<string> {
  let nowMs = 1_767_225_600_000;
  const settings = { seed, nodes: 1, gpus: 2, profile: 'a100', behaviour: 'healthy' };
  const planned = planFleet(settings, { file: 'golden.yml', source: timeline });
  const devices = parseDevices('f');
  if (planned.kind === 'invalid' || devices.kind === 'invalid') throw new Error('the golden cannot be planned');
  const [node] = createSimulatedFleet(planned.plan, createSimulationClock({ now: () => nowMs })).nodes;
  nowMs += atMs;
  const snapshot = await node?.source.read(AbortSignal.timeout(1000));
  if (snapshot === undefined) throw new Error('a fleet has a node');
  const presence = observe(initialPresence, { kind: 'read', atMs: nowMs, snapshot });
  const profiles = createNodeProfiles({
    hostname: 'gpu-node-1',
    hostnameLabel: 'Hostname',
    useOldNamespace: false,
    replaceBlanksInModelName: false,
    expectedGpus: undefined,
    devices: devices.devices,
    selection: () => defaultSelection,
    jobs: () => new Map(),
    xidWindowMs: 300_000,
    clockEventsWindowMs: 300_000,
  });
  return renderText(profiles.byName[profile]({ snapshot, presence }));
}

const brokenRow = 'events: [{at: 60s, gpu: 1, fault: ecc}]';

describe('the scrape of two simulated GPUs', () => {
  it.each([
    { name: 'idle.prom', profile: 'dcgm', occasion: { atMs: 30_000 } },
    { name: 'idle-native.prom', profile: 'native', occasion: { atMs: 30_000 } },
    { name: 'peak-ecc.prom', profile: 'dcgm', occasion: { atMs: 180_000, timeline: brokenRow } },
    { name: 'peak-ecc-native.prom', profile: 'native', occasion: { atMs: 180_000, timeline: brokenRow } },
  ] as const)('is $name', async ({ name, profile, occasion }) => {
    const golden = new URL(`golden/${name}`, import.meta.url).pathname;
    await expect(await pageOf(profile, occasion)).toMatchFileSnapshot(golden);
  });

  it('is the same bytes for the same seed and time, and others for another seed', async () => {
    expect(await pageOf('dcgm', { atMs: 90_000 })).toBe(await pageOf('dcgm', { atMs: 90_000 }));
    expect(await pageOf('dcgm', { atMs: 90_000 })).not.toBe(await pageOf('dcgm', { atMs: 90_000, seed: 43 }));
  });
});

describe('promtool check metrics', () => {
  const dcgmProblems = [
    'counter metrics should have "_total" suffix',
    "label names should be written in 'snake_case' not 'camelCase'",
    "metric name should not include type 'counter'",
  ];

  it.for([
    { query: '', problems: dcgmProblems, what: 'three kinds of problem with DCGM names, and no other' },
    { query: '?profile=native', problems: [], what: 'no problem with the native profile' },
  ])('has $what, on a whole page of the running exporter', async ({ query, problems }, context) => {
    const exporter = await startExporterProcess([], { GPU_SOURCE: 'mock' });
    try {
      const response = await fetch(`${exporter.url}/metrics${query}`, { signal: AbortSignal.timeout(5000) });
      expect(await lint(await response.text(), context)).toEqual(problems);
    } finally {
      await exporter.end();
    }
  });
});
