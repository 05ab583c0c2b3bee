import { afterEach, describe, expect, it } from 'vitest';
import type { RuleReaction } from '../../../engine/core/policy.ts';
import { QueryError } from '../../../engine/prometheus/query.ts';
import { groups, ruleEngine, SECOND, SLOT, stopAll } from './rule-engine.ts';

afterEach(stopAll);

const never = new AbortController().signal;
const EXPR = 'max by (gpu) (temperature{job="gpu"}) > 85 and rate(up[5m]) >= 0';
const EXISTS = 'group({__name__="temperature",job="gpu"}) or group({__name__="up"})';
const RULES = groups(`
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Hot
        expr: ${EXPR}
        labels: { severity: critical, action: quarantine, node: '{{ $labels.node }}' }
        annotations: { summary: '{{ $labels.gpu }} is hot', runbook_url: 'https://runbooks/Hot' }
`);

const FAILS = new QueryError('unreachable', 'Prometheus is away');
const HOT = [{ labels: { gpu: '3' }, value: 90 }];

/** Hot at first, then what the case says; the alerts after it as `name-or-reason state`. */
async function run(reaction: Partial<RuleReaction> | undefined, answer: typeof HOT | QueryError, exists = false) {
  const engine = ruleEngine();
  engine.prometheus.answers.set(EXPR, (atMs) => (atMs === SLOT ? HOT : answer));
  engine.prometheus.answers.set(EXISTS, () => (exists ? [{ labels: {}, value: 1 }] : []));
  const reactions = reaction === undefined ? {} : { Hot: { onError: 'keep', onNoData: 'ok', ...reaction } as const };
  const [group] = await engine.evaluator.load(RULES, { reactions, externalLabels: {} });
  await group?.evaluateAt(SLOT, never);
  await group?.evaluateAt(SLOT + 15 * SECOND, never);
  return { engine, group, alerts: engine.evaluator.activeAlerts().map(({ labels }) => labels.reason ?? labels.gpu) };
}

describe('a rule whose query fails', () => {
  it.each([
    ['keeps its alerts', undefined, ['3']],
    ['keeps its alerts with on_error: keep', { onError: 'keep' }, ['3']],
    ['raises one alert more with on_error: alert', { onError: 'alert' }, ['3', 'query failed']],
    ['resolves them with on_error: ok', { onError: 'ok' }, []],
  ] as const)('%s', async (_, reaction, expected) => {
    const { engine, alerts } = await run(reaction, FAILS);
    expect(alerts).toEqual(expected);
    expect(engine.evaluator.groups()[0]?.rules[0]).toMatchObject({ health: 'err', lastError: 'Prometheus is away' });
  });
});

describe('a rule that finds nothing', () => {
  it.each([
    ['where nothing exists: resolves its alerts', undefined, false, []],
    ['where nothing exists: resolves them with on_no_data: ok', { onNoData: 'ok' }, false, []],
    ['where nothing exists: keeps them with on_no_data: keep', { onNoData: 'keep' }, false, ['3']],
    ['where nothing exists: raises one more with on_no_data: alert', { onNoData: 'alert' }, false, ['3', 'no data']],
    ['because nothing is wrong: resolves its alerts whatever the policy says', { onNoData: 'alert' }, true, []],
  ] as const)('%s', async (_, reaction, exists, expected) => {
    const { engine, alerts } = await run(reaction, [], exists);
    expect(alerts).toEqual(expected);
    expect(engine.evaluator.groups()[0]?.rules[0]?.health).toBe('ok');
  });

  it('asks Prometheus nothing more unless the policy names it', async () => {
    const { engine } = await run(undefined, []);
    expect(engine.prometheus.asked.map(({ expr }) => expr)).toEqual([EXPR, EXPR]);
  });

  it('is unknown when even that cannot be found out', async () => {
    const engine = ruleEngine();
    engine.prometheus.answers.set(EXISTS, () => FAILS);
    const reactions = { Hot: { onError: 'keep', onNoData: 'alert' } } as const;
    const [group] = await engine.evaluator.load(RULES, { reactions, externalLabels: {} });
    await group?.evaluateAt(SLOT, never);
    expect(engine.evaluator.groups()[0]?.rules[0]).toMatchObject({ health: 'err', lastError: 'Prometheus is away' });
  });
});

describe('the alert that is raised', () => {
  it('carries what the rule says whatever the element, a reason, and no action', async () => {
    const { engine } = await run({ onError: 'alert' }, FAILS);
    expect(engine.evaluator.activeAlerts()[1]).toMatchObject({
      state: 'firing',
      labels: { alertname: 'Hot', severity: 'critical', reason: 'query failed' },
      annotations: {
        summary: 'the query of Hot fails: Prometheus is away',
        runbook_url: 'https://runbooks/Hot',
      },
    });
    expect(engine.sent.map(({ labels }) => labels.reason)).toEqual([undefined, 'query failed']);
    expect(engine.writer?.lines(SLOT).at(-2)).toBe(
      'ALERTS{alertname="Hot",alertstate="firing",reason="query failed",severity="critical"} = 1 @ 15',
    );
  });

  it('ends with the first answer', async () => {
    const { engine, group } = await run({ onError: 'alert' }, FAILS);
    engine.prometheus.answers.set(EXPR, () => HOT);
    await group?.evaluateAt(SLOT + 30 * SECOND, never);
    expect(engine.evaluator.activeAlerts().map(({ labels }) => labels.gpu)).toEqual(['3']);
  });
});

it('a policy that names an alert no rule file has is told so', async () => {
  const engine = ruleEngine();
  const reactions = { Hott: { onError: 'alert', onNoData: 'ok' } } as const;
  await engine.evaluator.load(RULES, { reactions, externalLabels: {} });
  expect(engine.problems).toEqual(['the policy\'s section "rules" names Hott, and no rule file has such an alert']);
});
