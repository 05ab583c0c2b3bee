/** The page behind an alert's `generatorURL`: what fires, on what evidence, and how to check it by hand. */
import type { LabelSet } from '../core/alert.ts';
import { formatDuration } from '../policy/duration.ts';
import type { AlertEvidence } from '../rules/evidence.ts';
import type { ActiveAlert, ResolvedAlert } from '../rules/status.ts';
import { instant, type Page, page } from './frame.ts';
import { type Html, html } from './html.ts';
import { evaluationsTable, ruleFacts } from './rule-page.ts';
import { runbookLink } from './runbook-page.ts';

export function alertPage({ alert, rule }: AlertEvidence, nowMs: number): Page {
  const { summary, description, runbook_url: runbook } = alert.annotations;
  return page(
    `${alert.name} ${alert.state}`,
    html`<h1>${badge(alert)} ${alert.name}</h1>
<p>${summary}</p>
<p class="muted">${description}</p>
<dl>
<dt>since</dt><dd>${since(alert, nowMs)}</dd>
${ending(alert)}
<dt>value</dt><dd>${String(alert.value)}</dd>
<dt>runbook</dt><dd>${runbook === undefined ? html`none; add the annotation runbook_url` : runbookLink(runbook)}</dd>
<dt>asks for</dt><dd>${alert.labels.action ?? 'nothing: the rule has no label "action"'}</dd>
<dt>fingerprint</dt><dd><code>${alert.fingerprint}</code></dd>
</dl>
<h2>Labels</h2>${labelList(alert.labels)}
<h2>Rule</h2>${ruleFacts(rule)}
<h2>Evaluations</h2>${evaluationsTable(rule)}`,
  );
}

/** For an address that a page of Alertmanager still holds. */
export function unknownAlertPage(): Page {
  return page(
    'Alert not known',
    html`<h1>This alert is over, or was never here</h1>
<p>The engine shows pending, firing and lately resolved alerts. One that resolved more than 15 minutes ago, or whose rule was
removed, is in the notifications and in Prometheus under <code>ALERTS</code>. <a href="alerts">Alerts active now</a></p>`,
  );
}

export function alertsPage(alerts: readonly ActiveAlert[], nowMs: number): Page {
  const rows = alerts.map(
    (alert) => html`<tr><td>${badge(alert)}</td><td><a href="alerts/${alert.fingerprint}">${alert.name}</a></td>
<td>${alert.annotations.summary ?? labelText(alert.labels)}</td><td>${since(alert, nowMs)}</td></tr>\n`,
  );
  const table = html`<div class="scroll"><table>
<tr><th>state</th><th>alert</th><th>about</th><th>since</th></tr>
${rows}</table></div>`;
  return page(
    'Alerts',
    html`<h1>Alerts</h1>${alerts.length === 0 ? html`<p>No alert is pending or firing.</p>` : table}`,
  );
}

function badge({ state, severity }: ActiveAlert | ResolvedAlert): Html {
  const colour = ['critical', 'warning', 'info'].includes(severity) ? severity : '';
  return html`<span class="badge ${state} ${colour}">${[state, severity].filter(Boolean).join(' ')}</span>`;
}

function since(alert: ActiveAlert | ResolvedAlert, nowMs: number): Html {
  const from = alert.firedAt ?? alert.activeAt;
  const until = alert.state === 'resolved' ? alert.resolvedAt : nowMs;
  return html`${instant(from)} <span class="muted">${formatDuration(Math.max(0, Math.floor((until - from) / 1000) * 1000))}</span>`;
}

function ending(alert: ActiveAlert | ResolvedAlert): Html | undefined {
  return alert.state === 'resolved' ? html`<dt>over</dt><dd>${instant(alert.resolvedAt)}</dd>` : undefined;
}

function labelList(labels: LabelSet): Html {
  return html`<dl>${Object.entries(labels).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function labelText(labels: LabelSet): string {
  return Object.entries(labels)
    .filter(([name]) => name !== 'alertname' && name !== 'severity')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
