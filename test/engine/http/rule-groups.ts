/** Rule groups as an evaluator would show them, made by hand. */
import type {
  ActiveAlert,
  EvaluationRecord,
  GroupStatus,
  ResolvedAlert,
  RuleStatus,
} from '../../../engine/rules/status.ts';

const AT = Date.UTC(2026, 0, 1, 12, 3, 5);

const TEMPLATE = { expand: () => '' };

export function evaluation(changes: Partial<EvaluationRecord> = {}): EvaluationRecord {
  return { at: AT, durationMs: 12.5, samples: 1, error: undefined, ...changes };
}

export function activeAlert(changes: Partial<ActiveAlert> = {}): ActiveAlert {
  return {
    name: 'GpuThermalCritical',
    ruleId: 'rule-hot',
    fingerprint: '00000000deadbeef',
    state: 'firing',
    labels: { alertname: 'GpuThermalCritical', severity: 'critical', action: 'throttle', UUID: 'GPU-1' },
    annotations: { summary: 'gpu 3 on node-1: 91 °C > 85 °C', runbook_url: 'https://example.com/hot' },
    value: 91,
    activeAt: AT - 90_000,
    firedAt: AT - 60_000,
    missingSince: undefined,
    severity: 'critical',
    ...changes,
  };
}

export function resolvedAlert(): ResolvedAlert {
  const { missingSince: _, ...alert } = activeAlert({ fingerprint: '0000000000000bad' });
  return { ...alert, state: 'resolved', resolvedAt: AT - 5000 };
}

export function alerting(changes: Partial<RuleStatus> = {}): RuleStatus {
  return {
    rule: {
      kind: 'alerting',
      id: 'rule-hot',
      name: 'GpuThermalCritical',
      expr: `temperature{zone="it's"} > 85`,
      line: 7,
      limit: 0,
      forMs: 30_000,
      keepFiringForMs: 60_000,
      labels: { severity: TEMPLATE },
      annotations: { summary: TEMPLATE },
      written: { labels: { severity: 'critical' }, annotations: { summary: '{{ $value }} °C' } },
    },
    health: 'ok',
    lastError: undefined,
    alerts: [activeAlert()],
    resolved: [],
    evaluations: [evaluation()],
    ...changes,
  };
}

export function recording(changes: Partial<RuleStatus> = {}): RuleStatus {
  return {
    rule: {
      kind: 'recording',
      id: 'rule-max',
      name: 'node:temperature:max',
      expr: 'max by (node) (temperature)',
      line: 12,
      limit: 0,
      labels: { team: 'gpu' },
    },
    health: 'ok',
    lastError: undefined,
    alerts: [],
    resolved: [],
    evaluations: [evaluation({ samples: 4 })],
    ...changes,
  };
}

export function group(name: string, rules: readonly RuleStatus[], changes: Partial<GroupStatus> = {}): GroupStatus {
  return {
    file: 'rules/gpu.yml',
    name,
    intervalMs: 15_000,
    queryOffsetMs: 5000,
    limit: 0,
    evaluations: 4,
    missed: 1,
    failures: 0,
    lastSamples: 5,
    lastAt: AT,
    lastDurationMs: 20,
    rules,
    ...changes,
  };
}
