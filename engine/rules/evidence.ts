/** What a person needs to check an alert or a rule by hand: the newest evaluations, and how to repeat them. */
import type { ActiveAlert, EvaluationRecord, GroupStatus, ResolvedAlert, RuleStatus } from './status.ts';

/** One evaluation, with the command line that asks Prometheus the same question. */
interface RepeatableEvaluation extends EvaluationRecord {
  readonly curl: string;
}

export interface RuleEvidence {
  readonly group: GroupStatus;
  readonly status: RuleStatus;
  /** Newest first. */
  readonly evaluations: readonly RepeatableEvaluation[];
  /** The expression in Prometheus' own page. */
  readonly graphUrl: string;
}

export interface AlertEvidence {
  readonly alert: ActiveAlert | ResolvedAlert;
  readonly rule: RuleEvidence;
}

/** Evidence of the rule with this id; undefined when there is none. `prometheusUrl` is a base URL. */
export function ruleEvidence(
  groups: readonly GroupStatus[],
  ruleId: string,
  prometheusUrl: string,
): RuleEvidence | undefined {
  for (const group of groups) {
    const status = group.rules.find(({ rule }) => rule.id === ruleId);
    if (status !== undefined) return evidenceOf(group, status, prometheusUrl.replace(/\/+$/, ''));
  }
  return undefined;
}

/** Evidence of the alert with this fingerprint, pending, firing or lately resolved; undefined when there is none. */
export function alertEvidence(
  groups: readonly GroupStatus[],
  fingerprint: string,
  prometheusUrl: string,
): AlertEvidence | undefined {
  for (const { rules } of groups) {
    for (const { alerts, resolved, rule } of rules) {
      const alert = [...alerts, ...resolved].find((candidate) => candidate.fingerprint === fingerprint);
      const evidence = alert && ruleEvidence(groups, rule.id, prometheusUrl);
      if (alert !== undefined && evidence !== undefined) return { alert, rule: evidence };
    }
  }
  return undefined;
}

function evidenceOf(group: GroupStatus, status: RuleStatus, baseUrl: string): RuleEvidence {
  const { expr } = status.rule;
  const evaluations = status.evaluations.map((record) => ({
    ...record,
    curl: curlOf(baseUrl, expr, record.at - group.queryOffsetMs),
  }));
  const graphUrl = `${baseUrl}/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`;
  return { group, status, evaluations, graphUrl };
}

function curlOf(baseUrl: string, expr: string, atMs: number): string {
  const [query, time] = [quoted(`query=${expr}`), quoted(`time=${(atMs / 1000).toFixed(3)}`)];
  return `curl -sG ${quoted(`${baseUrl}/api/v1/query`)} --data-urlencode ${query} --data-urlencode ${time}`;
}

/** For a POSIX shell: nothing inside single quotes has a meaning but the single quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
