/** Items 36 to 39 of the alert-generator specification: what the HTTP API says, over a real socket. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Sample } from '../../../engine/prometheus/query.ts';
import { planOf, play, times } from '../core/fixtures.ts';
import { serve } from '../http/serving.ts';
import { openStage, type Stage } from './stage.ts';

const FLEET = play(planOf(), times(3, { 'a/0': 'up' }));
const OFFSETS = [0, 1, 7000, 14_999, 15_000, 29_999];

const RFC_3339 = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const texts = z.record(z.string(), z.string());
const alertShape = z.object({
  activeAt: RFC_3339,
  state: z.enum(['pending', 'firing', 'inactive']),
  value: z.string().refine((text) => !Number.isNaN(Number(text.replace(/^\+?Inf$/, 'Infinity')))),
  labels: texts,
  annotations: texts,
});
const ruleShape = z.object({
  type: z.literal('alerting'),
  name: z.string(),
  query: z.string(),
  duration: z.number(),
  labels: texts,
  annotations: texts,
  lastEvaluation: RFC_3339,
  evaluationTime: z.number(),
  health: z.enum(['ok', 'err', 'unknown']),
  state: z.enum(['firing', 'pending', 'inactive']),
  alerts: z.array(alertShape),
  lastError: z.string().optional(),
});
const rulesAnswer = z.object({
  status: z.literal('success'),
  data: z.object({
    groups: z.array(
      z.object({ name: z.string(), interval: z.number(), lastEvaluation: RFC_3339, rules: z.array(ruleShape) }),
    ),
  }),
});
const alertsAnswer = z.object({ status: z.literal('success'), data: z.object({ alerts: z.array(alertShape) }) });

const RULES = `
groups:
  - name: g
    interval: 30s
    rules:
      - alert: Slow
        expr: x > 10
        for: 1m
        labels: { gpu: '{{ $labels.gpu }}', severity: page }
        annotations: { text: 'at {{ $value }}' }
      - { alert: Quiet, expr: x > 99 }
      - { alert: Broken, expr: y }
`;

const slow: readonly Sample[] = ['0', '1'].map((gpu) => ({ labels: { gpu }, value: 11.5 + Number(gpu) }));

const openRules = (offsetMs: number) =>
  openStage({
    rules: RULES,
    offsetMs,
    answers: {
      // The second GPU joins half a minute later.
      'x > 10': (ms) => (ms < offsetMs + 90_000 ? slow.slice(0, ms < offsetMs + 30_000 ? 1 : 2) : []),
      y: () => new Error('no such function'),
    },
  });

async function ask(stage: Stage, path: string): Promise<unknown> {
  const one = await serve({ fleet: FLEET, ruleGroups: stage.evaluator.groups() });
  const response = await fetch(`${one.url}${path}`);
  const body = await response.json();
  await one.close();
  expect(response.status).toBe(200);
  return body;
}

const rulesOf = async (stage: Stage) => rulesAnswer.parse(await ask(stage, '/api/v1/rules')).data.groups;
const alertsOf = async (stage: Stage) => alertsAnswer.parse(await ask(stage, '/api/v1/alerts')).data.alerts;
const instant = (ms: number) => new Date(ms).toISOString();

describe('the API', () => {
  it.each(OFFSETS)(
    '36. /api/v1/rules lists groups with interval, last evaluation and rules (offset %d ms)',
    async (offsetMs) => {
      const stage = await openRules(offsetMs);
      await stage.until(offsetMs + 45_000);
      const [group] = await rulesOf(stage);
      await stage.close();
      expect(group).toMatchObject({ name: 'g', interval: 30, lastEvaluation: instant(stage.first + 30_000) });
      expect(group?.rules.map(({ name }) => name)).toEqual(['Slow', 'Quiet', 'Broken']);
    },
  );

  it.each(OFFSETS)(
    '37. a rule has its texts as written, its health and its strongest state (offset %d ms)',
    async (offsetMs) => {
      const stage = await openRules(offsetMs);
      const states: unknown[] = [];
      for (const second of [0, 30, 60, 90]) {
        await stage.until(offsetMs + second * 1000);
        const [group] = await rulesOf(stage);
        states.push(group?.rules.map(({ state, health }) => `${state} ${health}`));
        expect(group?.rules[0]).toMatchObject({
          type: 'alerting',
          name: 'Slow',
          query: 'x > 10',
          duration: 60,
          labels: { gpu: '{{ $labels.gpu }}', severity: 'page' },
          annotations: { text: 'at {{ $value }}' },
          lastEvaluation: instant(stage.first + second * 1000),
        });
        expect(group?.rules.map(({ lastError }) => lastError ?? '')).toEqual(['', '', 'no such function']);
      }
      await stage.close();
      expect(states).toEqual(
        ['pending', 'pending', 'firing', 'inactive'].map((state) => [`${state} ok`, 'inactive ok', 'inactive err']),
      );
    },
  );

  it('37. a rule that has not been evaluated has health unknown, and is inactive (C6)', async () => {
    const stage = await openRules(20_000);
    await stage.until(10_000);
    const [group] = await rulesOf(stage);
    await stage.close();
    expect(group?.rules.map(({ health, state, alerts }) => [health, state, alerts])).toEqual(
      Array(3).fill(['unknown', 'inactive', []]),
    );
  });

  it.each(OFFSETS)(
    '38. an alert has ActiveAt, state, value, labels, and annotations as expanded (offset %d ms)',
    async (offsetMs) => {
      const stage = await openRules(offsetMs);
      await stage.until(offsetMs + 60_000);
      const [group] = await rulesOf(stage);
      await stage.close();
      const alert = (gpu: string, value: number, state: string, activeAt: number) => ({
        labels: { alertname: 'Slow', gpu, severity: 'page' },
        annotations: { text: `at ${value}` },
        state,
        value: expect.toSatisfy((text: string) => Number(text) === value),
        activeAt: instant(stage.first + activeAt),
      });
      expect(group?.rules[0]?.alerts).toEqual([alert('0', 11.5, 'firing', 0), alert('1', 12.5, 'pending', 30_000)]);
    },
  );

  it.each(OFFSETS)('39. /api/v1/alerts is the union of the alerts of all rules (offset %d ms)', async (offsetMs) => {
    const stage = await openRules(offsetMs);
    for (const second of [0, 30, 60, 90]) {
      await stage.until(offsetMs + second * 1000);
      const groups = await rulesOf(stage);
      expect(await alertsOf(stage)).toEqual(groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts)));
    }
    await stage.close();
  });
});
