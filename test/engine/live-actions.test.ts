import { describe, expect, it } from 'vitest';
import type { AlertMessage } from '../../engine/core/delivery.ts';
import { LiveActions } from '../../engine/live-actions.ts';
import type { ActiveAlert } from '../../engine/rules/status.ts';
import { alertLabels, firingTimes, playFiring } from './core/firing.ts';
import { planOf, play, times } from './core/fixtures.ts';

const UP = { 'a/0': 'up', 'b/0': 'up' } as const;

const RESOLVED: AlertMessage = {
  key: 'k',
  fingerprint: '0123456789abcdef',
  labels: alertLabels('quarantine', 'a/0'),
  annotations: {},
  startsAt: 2000,
  endsAt: 3000,
  expr: 'vector(1)',
};

function active(change: Partial<ActiveAlert> = {}): ActiveAlert {
  return {
    name: 'GpuEccUncorrectable',
    ruleId: 'gpu/GpuEccUncorrectable',
    fingerprint: '0123456789abcdef',
    state: 'firing',
    labels: alertLabels('quarantine', 'a/0'),
    annotations: { summary: 'gpu 0 on a: 1 uncorrectable memory error' },
    value: 1,
    activeAt: 1000,
    firedAt: 2000,
    missingSince: undefined,
    severity: 'critical',
    ...change,
  };
}

function live(alerts: ActiveAlert[]) {
  const fleet = play(planOf(), times(2, UP));
  const sent: AlertMessage[] = [];
  let asked = 0;
  const actions = new LiveActions({
    judged: () => fleet,
    activeAlerts: () => {
      asked++;
      return alerts;
    },
    sink: { send: (messages) => sent.push(...messages) },
  });
  return { fleet, actions, sent, asked: () => asked };
}

describe('LiveActions', () => {
  it('shows what fires now, with its summary and since when', () => {
    const { actions } = live([active()]);
    expect(actions.book().all).toEqual([
      {
        action: 'quarantine',
        alert: 'GpuEccUncorrectable',
        gpu: 'a/0',
        node: 'a',
        isKnown: true,
        severity: 'critical',
        summary: 'gpu 0 on a: 1 uncorrectable memory error',
        sinceMs: 2000,
        ignored: undefined,
      },
    ]);
  });

  it.each<[string, Partial<ActiveAlert>]>([
    ['a pending alert', { state: 'pending', firedAt: undefined }],
    ['an alert without an action', { labels: { alertname: 'X', UUID: 'a/0' } }],
    ['an action that nobody knows', { labels: { ...alertLabels('quarantine', 'a/0'), action: 'reboot' } }],
  ])('leaves out %s', (_, change) => {
    expect(live([active(change)]).actions.book().all).toEqual([]);
  });

  it('makes the book once per tick and alert that is sent, however often it is asked', () => {
    const alerts = [active()];
    const { fleet, actions, sent, asked } = live(alerts);
    const first = actions.book();
    for (let i = 0; i < 100; i++) expect(actions.book()).toBe(first);
    expect(asked()).toBe(1);
    alerts.length = 0;
    actions.send([RESOLVED]);
    expect([actions.book().all, sent]).toEqual([[], [RESOLVED]]);
    playFiring(fleet.plan, firingTimes(1, UP, [['throttle', 'b/0']]), fleet.state);
    expect(actions.book().all).toMatchObject([{ action: 'throttle', gpu: 'b/0' }]);
    expect(asked()).toBe(3);
  });

  it('keeps the alerts of the newest tick until the next one, also when the engine no longer sees them', () => {
    const { fleet, actions } = live([]);
    playFiring(fleet.plan, firingTimes(1, UP, [['quarantine', 'a/0']]), fleet.state);
    expect(actions.book()).toBe(fleet.state.actions);
  });
});
