import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../engine/core/action.ts';
import { formatDuration } from '../../engine/policy/duration.ts';
import { ALERTS, LOADED, RECORDS, ROOT } from './rule-files.ts';
import { type Instant, pathOf, readUnitTests, stepMsOf, timelines } from './unit-test-file.ts';

/** The eight rules of the GPU platform, with its thresholds, durations and actions. */
const PLATFORM = [
  ['GpuThermalWarning', '1m', 'warning', 'notify'],
  ['GpuThermalCritical', '30s', 'critical', 'throttle'],
  ['GpuPowerSpike', '45s', 'warning', 'notify'],
  ['GpuPowerCritical', '20s', 'critical', 'preempt'],
  ['GpuEccErrorsSpike', '5m', 'warning', 'notify'],
  ['GpuEccUncorrectable', '0s', 'critical', 'quarantine'],
  ['GpuThrottling', '30s', 'warning', 'notify'],
  ['GpuMemoryPressure', '1m', 'warning', 'notify'],
];

/** On or off for the whole fleet: neither a subject nor a figure to show. */
const FLEET_WIDE = 'GpuObserverSuspect';

const GPU_IDENTITY = /by \(UUID, gpu, modelName, instance, Hostname, hostname\b/;

describe('the rules we ship', () => {
  it('are loaded by the engine as they are', () => {
    expect(LOADED.diagnostics).toEqual([]);
    expect(LOADED.groups.map(({ file, name }) => `${file} ${name}`)).toEqual([
      'rules/alerts/agents.yml agents',
      'rules/alerts/engine.yml engine',
      'rules/alerts/gpu.yml gpu',
      'rules/alerts/hardware.yml xid',
      'rules/alerts/hardware.yml row-remap',
      'rules/alerts/hardware.yml links',
      'rules/alerts/hardware.yml slowdown',
      'rules/alerts/node.yml node',
      'rules/alerts/node.yml presence',
      'rules/alerts/uptime.yml uptime',
      'rules/recording.yml gpu_metrics_1min',
      'rules/recording.yml node_metrics_1min',
      'rules/recording.yml fleet_metrics_1min',
    ]);
  });

  it('begin with the eight of the GPU platform', () => {
    const gpu = ALERTS.filter(({ file }) => file === 'rules/alerts/gpu.yml');
    const facts = gpu.map(({ name, forMs, written: { labels } }) => [
      name,
      formatDuration(forMs),
      labels.severity,
      labels.action,
    ]);
    expect(facts).toEqual(PLATFORM);
  });

  it.each(ALERTS)('$name says how bad it is, what to do, who acts, and where to read on', ({ name, written }) => {
    const { labels, annotations } = written;
    const added = Object.keys(labels).filter((label) => !['instance', 'UUID'].includes(label));
    expect(added.sort()).toEqual(['action', 'severity', 'team']);
    expect(['info', 'warning', 'critical']).toContain(labels.severity);
    expect(ACTIONS).toContain(labels.action);
    expect(['gpu-hardware', 'platform']).toContain(labels.team);
    expect(annotations.description).toBeTruthy();
    expect(annotations.runbook_url).toBe(`rules/runbooks/${name}.md`);
  });

  it.each(ALERTS.filter(({ name }) => name !== FLEET_WIDE))(
    '$name shows whom it is about, the value and the threshold',
    ({ written }) => {
      expect(written.annotations.summary).toMatch(/\{\{ \$labels\.\w+ \}\}.*\{\{ \$value.*( [<>]| [<>=]=|is one of) /);
    },
  );

  // Only an alert that names a GPU can change what is decided about it.
  it.each(ALERTS.filter(({ written }) => written.labels.action !== 'notify'))(
    '$name, which acts, keeps the labels that identify the GPU',
    ({ name, expr }) => {
      expect(expr).toMatch(name === 'GpuNvlinkDown' ? /by \(UUID, gpu, modelName, instance, hostname\)/ : GPU_IDENTITY);
    },
  );

  it.each(ALERTS.filter(({ name }) => name !== FLEET_WIDE))(
    '$name names its node or target in `instance`, by which Alertmanager makes one message of them',
    ({ name }) => {
      const alerts = expectedAlerts(name);
      expect(alerts.map(({ instance }) => instance).filter((instance) => !instance)).toEqual([]);
      // What the engine has judged knows the node by another label.
      for (const { node, instance } of alerts.filter(({ node }) => node !== undefined)) expect(instance).toBe(node);
    },
  );

  it.each(ALERTS.filter(({ name }) => expectedAlerts(name).some(({ uuid }) => uuid !== undefined)))(
    '$name names its GPU in `UUID`, by which Alertmanager mutes it',
    ({ name }) => {
      for (const { uuid, UUID } of expectedAlerts(name)) expect(UUID).toBe(uuid);
    },
  );

  it('leave no test and no runbook of a rule that is gone', () => {
    const names = new Set(['recording', ...ALERTS.map(({ name }) => name)]);
    const written = globSync(['rules/tests/*.test.yml', 'rules/runbooks/*.md'], { cwd: ROOT });
    expect(written.filter((file) => !names.has(file.replace(/^.*\/|\..*$/g, '')))).toEqual([]);
  });
});

/** Labels of the alerts that the unit test of a rule expects. */
function expectedAlerts(name: string): readonly Readonly<Record<string, string>>[] {
  return timelines(name, readUnitTests(name)).flatMap((timeline) =>
    timeline.flatMap(({ alerts }) => alerts.map(({ exp_labels = {} }) => exp_labels)),
  );
}

describe('the unit test', () => {
  it.each(ALERTS)('of $name fires exactly when the `for` has passed, and ends', ({ name }) => {
    const file = readUnitTests(name);
    const stepMs = stepMsOf(file);
    const complete = timelines(name, file).filter((timeline) => isWholeLife(timeline, stepMs));
    expect(
      complete.length,
      `${pathOf(name)} needs a test that is silent one evaluation before it fires, fires, and is
      silent again at the end`,
    ).toBeGreaterThan(0);
  });

  it.each(ALERTS)('of $name has one that never fires', ({ name }) => {
    const silent = timelines(name, readUnitTests(name)).filter(
      (timeline) => timeline.length > 0 && timeline.every(({ alerts }) => alerts.length === 0),
    );
    expect(silent.length, `${pathOf(name)} needs a test in which nothing fires`).toBeGreaterThan(0);
  });

  it.each(ALERTS)('of $name expects every label and text', ({ name, written }) => {
    const expected = timelines(name, readUnitTests(name)).flatMap((timeline) =>
      timeline.flatMap(({ alerts }) => alerts),
    );
    expect(expected.length).toBeGreaterThan(0);
    for (const { exp_labels = {}, exp_annotations = {} } of expected) {
      expect(Object.keys(exp_labels)).toEqual(expect.arrayContaining(Object.keys(written.labels)));
      expect(exp_labels).toMatchObject(fixedLabels(written.labels));
      expect(Object.keys(exp_annotations).sort()).toEqual(Object.keys(written.annotations).sort());
    }
  });

  it('of the recording rules expects samples of every one, and none without data', () => {
    const { tests } = readUnitTests('recording');
    const expectations = tests.flatMap(({ promql_expr_test = [] }) => promql_expr_test);
    const kinds = RECORDS.map(({ name }) => [
      name,
      ...expectations.filter(({ expr }) => expr === name).map(({ exp_samples }) => exp_samples.length > 0),
    ]);
    expect(kinds).toEqual(RECORDS.map(({ name }) => [name, true, false]));
  });
});

function fixedLabels(labels: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(labels).filter(([, text]) => !text.includes('{{')));
}

/** Silent, firing one step later, and silent at the end. */
function isWholeLife(timeline: readonly Instant[], stepMs: number): boolean {
  const onset = timeline.findIndex(({ alerts }) => alerts.length > 0);
  const before = timeline[onset - 1];
  const first = timeline[onset];
  if (before === undefined || first === undefined) return false;
  return first.atMs - before.atMs === stepMs && timeline.at(-1)?.alerts.length === 0;
}

describe('the recording rules', () => {
  it.each(RECORDS)('$name is named level:metric:operation', ({ name }) => {
    expect(name).toMatch(/^(gpu|node|fleet):[a-z_]+:(count|(avg|max|increase)1m|sum_(avg|increase)1m)$/);
  });

  it('are evaluated once a minute', () => {
    const groups = LOADED.groups.filter(({ file }) => file === 'rules/recording.yml');
    expect(groups.map(({ intervalMs }) => intervalMs)).toEqual([60_000, 60_000, 60_000]);
  });
});
