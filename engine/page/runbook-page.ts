/** What to do when an alert fires, for the phone of whoever was woken by it. */
import { type Page, page } from './frame.ts';
import { type Html, html, linkTo } from './html.ts';
import { markdown } from './markdown.ts';

export function runbookPage(alert: string, text: string): Page {
  return page(alert, markdown(text));
}

export function unknownRunbookPage(alert: string): Page {
  return page(
    'No runbook',
    html`<h1>No runbook for ${alert}</h1>
<p>The folder that RUNBOOKS_DIR names has no readable <code>${alert}.md</code>.</p>`,
  );
}

/** Runbooks of the repository are pages of the engine; others are where their address says. */
export function runbookLink(url: string): Html {
  const [, alert] = /^rules\/runbooks\/([\w-]+)\.md$/.exec(url) ?? [];
  return alert === undefined ? linkTo(url) : html`<a href="runbooks/${alert}">${url}</a>`;
}
