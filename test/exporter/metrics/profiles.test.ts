import { describe, expect, it } from 'vitest';
import { defaultSelection } from '../../../exporter/metrics/catalog.ts';
import { dcgmFamilies } from '../../../exporter/metrics/dcgm/families.ts';
import { renderText } from '../../../exporter/metrics/exposition.ts';
import { nativeFamilies } from '../../../exporter/metrics/native/families.ts';
import { platformFamilies } from '../../../exporter/metrics/native/platform.ts';
import { familiesOf, type Profiles, profileNames } from '../../../exporter/metrics/profiles.ts';
import type { Presence } from '../../../exporter/presence.ts';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { a100Mig } from './hardware/a100-mig.ts';
import { h200 } from './hardware/h200.ts';
import { l40s } from './hardware/l40s.ts';
import { afterLoss, beforeLoss, stillLost } from './hardware/lost-gpu.ts';
import { presenceOf } from './hardware/presence-of.ts';
import { rtx4090 } from './hardware/rtx4090.ts';
import { t4 } from './hardware/t4.ts';
import { lint } from './lint.ts';

interface Machine {
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly presence: Presence;
}

const machines: readonly Machine[] = [
  { name: 'h200', snapshot: h200, presence: presenceOf(h200) },
  { name: 'a100-mig', snapshot: a100Mig, presence: presenceOf(a100Mig) },
  { name: 'l40s', snapshot: l40s, presence: presenceOf(l40s) },
  { name: 'rtx4090', snapshot: rtx4090, presence: presenceOf(rtx4090) },
  { name: 't4', snapshot: t4, presence: presenceOf(t4) },
  { name: 'lost-gpu', snapshot: stillLost, presence: presenceOf(beforeLoss, afterLoss, stillLost) },
];

const profiles = {
  dcgm: ({ snapshot, presence }: Machine) =>
    dcgmFamilies(snapshot, defaultSelection, {
      hostname: 'gpu-node-1',
      hostnameLabel: 'Hostname',
      useOldNamespace: false,
      replaceBlanksInModelName: false,
      presence,
    }),
  native: ({ snapshot, presence }: Machine) => nativeFamilies({ snapshot, presence, hostname: 'gpu-node-1' }),
  platform: ({ snapshot, presence }: Machine) => platformFamilies({ snapshot, presence, hostname: 'gpu-node-1' }),
};

/** What a scrape of the profiles shows of the GPUs. */
function page(machine: Machine, ...names: Profiles): string {
  return renderText(familiesOf(names, profiles, machine));
}

describe.each(machines)('the scrape of $name', (machine) => {
  it.each(profileNames)('is this text in the profile %s', async (profile) => {
    const golden = new URL(`golden/${machine.name}.${profile}.prom`, import.meta.url).pathname;
    await expect(page(machine, profile)).toMatchFileSnapshot(golden);
  });

  it('has no problem for promtool in the native profile', async (context) => {
    expect(await lint(page(machine, 'native'), context)).toEqual([]);
  });

  it('has for promtool in the platform profile no problem but the abbreviated unit', async (context) => {
    const abbreviated = 'metric names should not contain abbreviated units';
    expect(await lint(page(machine, 'platform'), context)).toEqual([abbreviated]);
  });
});

describe('promtool check metrics', () => {
  it('has three kinds of problem with the names of DCGM, and no other', async (context) => {
    const pages = machines.map((machine) => lint(page(machine, 'dcgm'), context));
    expect([...new Set((await Promise.all(pages)).flat())].toSorted()).toEqual([
      'counter metrics should have "_total" suffix',
      "label names should be written in 'snake_case' not 'camelCase'",
      "metric name should not include type 'counter'",
    ]);
  });

  it('accepts all profiles on one page, each name published once', async (context) => {
    const [machine] = machines;
    if (machine === undefined) throw new Error('there are machines');
    const text = page(machine, ...profileNames);
    const names = text.match(/^# TYPE \S+/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
    expect(text).toMatch(/^gpu_temperature_celsius\{uuid="[^"]+"\} 61$/m);
    expect(await lint(text, context)).toContain('metric names should not contain abbreviated units');
  });
});
