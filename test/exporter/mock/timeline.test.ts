import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFleet } from '../../../exporter/source/mock/timeline.ts';
import { planned, settings } from './fleet-in-time.ts';

const problemsOf = (source: string, changes = {}) => {
  const result = planFleet({ ...settings, nodes: 4, gpus: 32, ...changes }, { file: 'fleet.yml', source });
  return result.kind === 'invalid' ? result.problems : [];
};

/** Place, message and fix of each problem, without the excerpt. */
const summaries = (source: string) =>
  problemsOf(source).map((problem) => {
    const lines = problem.split('\n');
    return `${lines[0]?.replace('fleet.yml:', '')}; ${lines.at(-1)?.trim()}`;
  });

const faultNames =
  'hot, busy, lost, power, ecc, off-the-bus, xid, ecc-storm, thermal-ramp, sensor-blank, driver-reload, exporter-hang, node-down';
const aDuration = 'give a duration such as 90s, 10m or 1h30m';

describe('planFleet', () => {
  it.each([
    ['flet: {nodes: 1}', '1:1: flet is not known here; fix: write fleet, or remove it'],
    ['- a', '1:1: the file is ["a"]; fix: write keys and values; known here are fleet, events, scenarios'],
    ['events: {a: 1}', '1:9: events is {"a":1}; fix: give a list of events'],
    [
      'events: [',
      '1:10: not YAML: unexpected end of the stream within a flow collection; fix: look for an unclosed quote or bracket, or a missing space after ":"',
    ],
    ['events:\n\t- 1', '2:1: not YAML: tab characters must not be used in indentation; fix: indent with spaces'],
    ['a: 1\na: 2', '2:1: the key "a" is there twice; fix: keep one of the two'],
    ['fleet: &x {nodes: 1}\nevents: *x', '2:9: aliases are not understood here; fix: write the value itself'],
    ['---\n---\nfleet: {}', '2:1: the file holds several YAML documents; fix: remove the "---" and what follows it'],
    ['fleet: !car {nodes: 1}', '1:8: not YAML: unknown mapping tag !<!car>; fix: remove it'],
    ['fleet: {<<: {nodes: 1}}', '1:9: "<<" is not understood here; fix: write the keys out'],
    ['events: [{at: , fault: lost}]', `1:11: events[0].at is empty; fix: ${aDuration}`],
    ['? {a: 1}\n: 2', '1:3: a key must be plain text; fix: quote it or rename it'],
    ['fleet: {nodes: 0}', '1:16: fleet.nodes is 0; fix: give the number of nodes, a whole number from 1 to 10000'],
    [
      'fleet: {nodes: 5000, gpus_per_node: 8}',
      '1:37: fleet.gpus_per_node makes 40000 GPUs; fix: stay at 10000 for all nodes',
    ],
    [
      'fleet: {profile: a10}',
      '1:18: fleet.profile is "a10"; fix: write a100; there are a100, h100, h200, l40s, rtx4090',
    ],
    [
      'fleet: {profile: {a100: 0}}',
      '1:18: fleet.profile is {"a100":0}; fix: give a model, or models with whole numbers as their weights: {a100: 3, h100: 1}',
    ],
    [
      'fleet: {profile: "a100:x"}',
      '1:18: fleet.profile gives a100 the weight "x"; fix: give a whole number from 1: a100:3,h100:1',
    ],
    ['fleet: {seed: -1}', '1:15: fleet.seed is -1; fix: give a whole number from 0 to 4294967295'],
    [
      'fleet: {behaviours: [{behaviour: flaping}]}',
      '1:34: fleet.behaviours[0].behaviour is "flaping"; fix: write flapping; there are healthy, hot, power-hungry, aging, flapping, memory-stressed, early-warning',
    ],
    [
      'fleet: {behaviours: [{behaviour: hot, share: 5}]}',
      '1:46: fleet.behaviours[0].share is 5; fix: give a share in percent from 0% to 100%, such as 5%',
    ],
    [
      'fleet: {behaviours: [{behaviour: hot, node: node-9}]}',
      '1:45: fleet.behaviours[0].node is "node-9"; fix: give one of node-0 to node-3, or all',
    ],
    ['events: [{at: 10, fault: lost}]', `1:15: events[0].at is 10; fix: ${aDuration}`],
    ['events: [{fault: lost}]', `1:10: events[0].at is missing; fix: ${aDuration}`],
    ['events: [{at: 1m, fault: off-bus}]', `1:26: events[0].fault is "off-bus"; fix: give one of ${faultNames}`],
    [
      'events: [{at: 1m, fault: off-the-buss}]',
      `1:26: events[0].fault is "off-the-buss"; fix: write off-the-bus; there are ${faultNames}`,
    ],
    [
      'events: [{at: 10m, until: 5m, fault: lost}]',
      '1:27: events[0].until is not after the start; fix: give a later one',
    ],
    ['events: [{at: 10m, for: 0s, fault: lost}]', '1:25: events[0].for is not after the start; fix: give a later one'],
    [
      'events: [{at: 1m, until: 2m, for: 1m, fault: lost}]',
      '1:35: events[0].for is given beside until; fix: keep one of the two',
    ],
    ['events: [{at: 1m, gpu: 8, fault: lost}]', '1:24: events[0].gpu is 8; fix: give 0 to 7'],
    [
      'events: [{at: 1m, gpu: [0, -1], fault: lost}]',
      '1:24: events[0].gpu is [0,-1]; fix: give the index of a GPU such as 2, a list of them, or all',
    ],
    [
      'events: [{at: 1m, node: node-4, fault: lost}]',
      '1:25: events[0].node is "node-4"; fix: give one of node-0 to node-3, or all',
    ],
    [
      'events: [{at: 1m, gpu: 1, fault: node-down}]',
      '1:24: events[0].gpu is 1; fix: remove it: node-down strikes a whole node',
    ],
    [
      'events: [{at: 1m, for: 1s, fault: xid}]',
      '1:24: events[0].for is given; fix: remove it: this happens at an instant',
    ],
    [
      'events: [{at: 1m, fault: xid, code: 0}]',
      '1:37: events[0].code is 0; fix: give an XID, a whole number from 1 to 999',
    ],
    [
      'events: [{at: 1m, fault: hot, code: 1}]',
      '1:31: events[0].code is not known here; fix: write node, or remove it',
    ],
    [
      'events: [{at: 1m, fault: thermal-ramp, to: 500}]',
      '1:44: events[0].to is 500; fix: give a whole number of °C, 30 to 120',
    ],
    [
      'events: [{at: 1m, fault: ecc-storm, correctable_per_minute: lots}]',
      '1:61: events[0].correctable_per_minute is "lots"; fix: give correctable errors a minute, 0 to 100000',
    ],
    [
      'events: [{at: 1m, fault: sensor-blank, sensors: [gpu-temp]}]',
      '1:49: events[0].sensors is ["gpu-temp"]; fix: give a sensor, or a list of them: gpu-temperature, memory-temperature, power, energy, utilization, memory, clocks, ecc, nvlink, pcie',
    ],
    [
      'events: [{at: 1m, fault: sensor-blank, shows: zero}]',
      '1:47: events[0].shows is "zero"; fix: give absent or sentinel',
    ],
    ['events: [{at: 1m}]', '1:10: events[0] says nothing that happens; fix: give one of fault, behaviour, scenario'],
    [
      'events: [{at: 1m, fault: hot, scenario: x}]',
      '1:10: events[0] has fault and scenario; fix: give one of fault, behaviour, scenario',
    ],
    ['events: [hot]', '1:10: events[0] is "hot"; fix: write at, what happens, and whom it strikes'],
    [
      'events: [{at: 1m, scenario: degredation, node: node-0, gpu: 1}]',
      '1:29: events[0].scenario is "degredation"; fix: write degradation; there are degradation, flapping, thermal-ramp, ecc-storm, fleet-outage, xid-31, xid-48, xid-79, early-warning',
    ],
    [
      'events: [{at: 1m, scenario: degradation, gpu: 1}]',
      '1:10: events[0].node is missing; fix: say for which node, or all',
    ],
    [
      'scenarios: {Bad Name: {what: x, events: [{at: 0s, fault: hot}]}}',
      '1:13: scenarios.Bad Name is no name for a scenario; fix: give lower-case letters, digits and hyphens',
    ],
    [
      'scenarios: {degradation: {what: x, events: [{at: 0s, fault: hot}]}}',
      '1:13: scenarios.degradation comes with the exporter; fix: choose another name',
    ],
    [
      'scenarios: {a: {events: [{at: 0s, fault: hot}]}}',
      '1:16: scenarios.a.what is missing; fix: give what the scenario shows, in one sentence',
    ],
    ['scenarios: {a: {what: x, events: []}}', '1:34: scenarios.a.events is []; fix: give a list of at least one event'],
    [
      'scenarios: {a: {what: x, events: [{at: 0s, scenario: flapping}]}}',
      '1:35: scenarios.a.events[0] has scenario; fix: give one of fault, behaviour',
    ],
  ])('refuses %s', (source, problem) => {
    expect(summaries(source)).toEqual([problem]);
  });

  it('names every mistake at once, with its line and a caret', async () => {
    const source = readFileSync(new URL('bad-timeline.yml', import.meta.url), 'utf8');
    const report = `${problemsOf(source, { profile: 'a100:0', behaviour: 'hott:5%, aging:200%' }).join('\n')}\n`;
    await expect(report).toMatchFileSnapshot('golden/bad-timeline.txt');
  });

  it('never throws, whatever the file holds, and always knows what to do', () => {
    const words = fc.constantFrom(
      ...'fleet events scenarios at for until node gpu fault behaviour behaviours scenario nodes profile share what'.split(
        ' ',
      ),
      ...': |- |{|}|[|]|\n|  |10m|lost|flapping|degradation|xid|&a|*a|"|\'|#|<<|!!|\t|, |0|5%|node-0|a100'.split('|'),
    );
    const pieces = fc.array(words, { maxLength: 30 }).map((list) => list.join(''));
    const value = fc.oneof(
      fc.constantFrom('10m', 'lost', 'xid', 'flapping', 'node-0', 'a100', '5%', 'all'),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.integer({ max: 9 })),
    );
    const keys = fc.constantFrom(
      'at',
      'for',
      'until',
      'node',
      'gpu',
      'fault',
      'behaviour',
      'scenario',
      'code',
      'to',
      'what',
      'share',
      'events',
      'profile',
      'nodes',
    );
    const mapping = fc.dictionary(keys, value);
    const shaped = fc
      .record(
        {
          fleet: fc.oneof(mapping, value),
          events: fc.oneof(fc.array(fc.oneof(mapping, value)), value),
          scenarios: fc.oneof(fc.dictionary(fc.string(), mapping), value),
        },
        { requiredKeys: [] },
      )
      .map((document) => JSON.stringify(document));
    fc.assert(
      fc.property(fc.oneof(fc.string(), pieces, shaped), (source) => {
        for (const problem of problemsOf(source))
          expect(problem.split('\n').at(-1)).not.toMatch(/undefined|\[object|^ {2}fix: $/);
      }),
      { numRuns: 2000 },
    );
  });

  it('plans what a timeline says, in place of the settings', () => {
    const plan = planned(
      { nodes: 1, gpus: 1 },
      `
fleet:
  seed: 7
  nodes: 4
  gpus_per_node: 2
  profile: {h100: 1, l40s: 1}
  behaviours:
    - {behaviour: hot, share: 50%, node: [node-1, node-2], gpu: 1}
events:
  - {at: 10m, until: 25m, node: node-3, gpu: 1, fault: off-the-bus}
  - {at: 1h, fault: driver-reload, node: node-0}
  - {at: 1h30m, gpu: all, fault: xid, code: 79}
  - {at: 2h, for: 1d, node: all, gpu: 0, behaviour: aging}
  - {at: 3h, scenario: own, node: node-2, gpu: 1}
scenarios:
  own:
    what: two faults
    events:
      - {at: 0s, for: 1m, fault: thermal-ramp, to: 90, per_minute: 6}
      - {at: 30s, for: 1m, node: node-0, fault: node-down}
`,
    );
    expect(plan.seed).toBe(7);
    expect(plan.nodes.map(({ name, gpus, profile }) => [name, gpus, profile.modelName])).toEqual([
      ['node-0', 2, 'NVIDIA H100 80GB HBM3'],
      ['node-1', 2, 'NVIDIA H100 80GB HBM3'],
      ['node-2', 2, 'NVIDIA L40S'],
      ['node-3', 2, 'NVIDIA L40S'],
    ]);
    const [minute, hour] = [60_000, 3_600_000];
    const all = undefined;
    expect(
      plan.events.map(({ name, fromMs, untilMs, target }) => [name, fromMs, untilMs, target.nodes, target.gpus]),
    ).toEqual([
      ['hot', 0, Infinity, [1, 2], [1]],
      ['off-the-bus', 10 * minute, 25 * minute, [3], [1]],
      ['driver-reload', hour, hour + 30_000, [0], all],
      ['xid', 1.5 * hour, 1.5 * hour, all, all],
      ['aging', 2 * hour, 26 * hour, all, [0]],
      ['thermal-ramp', 3 * hour, 3 * hour + minute, [2], [1]],
      ['node-down', 3 * hour + 30_000, 3 * hour + 90_000, [0], all],
    ]);
    expect(plan.events[0]?.target.share).toBe(0.5);
    expect(plan.events.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(plan.scenarios.at(-1)).toMatchObject({ name: 'own', what: 'two faults' });
  });

  it('understands the timeline of the README', () => {
    const readme = readFileSync(new URL('../../../exporter/README.md', import.meta.url), 'utf8');
    const [source = ''] = [...readme.matchAll(/^```yaml\n(fleet:.*?)^```$/gms)].map(([, block]) => block);
    const plan = planned({}, source);
    expect([plan.nodes.length, plan.events.length]).toEqual([4, 4]);
  });

  it('takes an empty timeline for none', () => {
    expect(planned({}, '# nothing yet\n')).toEqual(planned());
    expect(planned({}, 'fleet:\nevents:\n')).toEqual(planned());
  });
});
