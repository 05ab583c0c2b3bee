/** One rule with its newest evaluations, and all rules at a glance. */
import { formatDuration } from '../policy/duration.ts';
import type { RuleEvidence } from '../rules/evidence.ts';
import type { GroupStatus, RuleStatus } from '../rules/status.ts';
import { instant, type Page, page } from './frame.ts';
import { type Html, html, linkTo } from './html.ts';

export function rulePage(evidence: RuleEvidence): Page {
  const { rule, health } = evidence.status;
  return page(
    rule.name,
    html`<h1><span class="badge ${health}">${health}</span> ${rule.name}</h1>
${ruleFacts(evidence)}
<h2>Evaluations</h2>${evaluationsTable(evidence)}`,
  );
}

export function rulesPage(groups: readonly GroupStatus[]): Page {
  const sections = groups.map(
    (group) => html`<h2>${group.name}</h2>
<p class="muted">${group.file}, every ${formatDuration(group.intervalMs)}, ${lastOf(group)}</p>
<div class="scroll"><table>
<tr><th>health</th><th>rule</th><th class="number">pending</th><th class="number">firing</th><th>last error</th></tr>
${group.rules.map(ruleRow)}</table></div>\n`,
  );
  return page(
    'Rules',
    html`<h1>Rules</h1>${groups.length === 0 ? html`<p>No rule files are loaded (RULE_FILES).</p>` : sections}`,
  );
}

function lastOf({ lastAt, lastDurationMs, missed }: GroupStatus): Html {
  if (lastAt === undefined) return html`not evaluated yet`;
  return html`last at ${instant(lastAt)} in ${milliseconds(lastDurationMs ?? 0)}, ${missed} slots missed`;
}

function ruleRow({ rule, health, alerts, lastError }: RuleStatus): Html {
  const count = (wanted: string) => alerts.filter(({ state }) => state === wanted).length;
  return html`<tr><td><span class="badge ${health}">${health}</span></td><td><a href="rules/${rule.id}">${rule.name}</a></td>
<td class="number">${count('pending')}</td><td class="number">${count('firing')}</td><td>${lastError}</td></tr>\n`;
}

/** Where the rule stands, what it asks and how it fares. */
export function ruleFacts({ group, status, graphUrl }: RuleEvidence): Html {
  const { rule, lastError } = status;
  const held = rule.kind === 'alerting' ? html`<dt>for</dt><dd>${formatDuration(rule.forMs)}</dd>` : undefined;
  return html`<pre>${rule.expr}</pre>
<dl>
<dt>written in</dt><dd>${group.file}:${rule.line}, group ${group.name}</dd>
<dt>evaluated</dt><dd>every ${formatDuration(group.intervalMs)}</dd>
${held}
<dt>last error</dt><dd>${lastError ?? 'none'}</dd>
<dt>in Prometheus</dt><dd>${linkTo(graphUrl, 'the expression now')}</dd>
</dl>`;
}

export function evaluationsTable({ evaluations }: RuleEvidence): Html {
  const [newest] = evaluations;
  if (newest === undefined) return html`<p>The rule has not been evaluated yet.</p>`;
  const rows = evaluations.map(
    ({ at, durationMs, samples, error }) =>
      html`<tr><td>${instant(at)}</td><td class="number">${milliseconds(durationMs)}</td><td class="number">${samples}</td><td>${error}</td></tr>\n`,
  );
  return html`<div class="scroll"><table>
<tr><th>at</th><th class="number">took</th><th class="number">results</th><th>error</th></tr>
${rows}</table></div>
<p>The newest one again, by hand:</p>
<pre>${newest.curl}</pre>`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
