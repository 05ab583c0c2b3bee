/** What every page of the engine shares. */
import { Html, html } from './html.ts';

const STYLE = new Html(`
:root { color-scheme: light dark; --muted: #6b7280; --line: #d1d5db66; --critical: #dc2626; --warning: #d97706; --good: #16a34a }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: .5rem 0 } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
nav a { margin-right: 1rem } .banner { border-left: .3rem solid var(--critical); padding-left: .6rem } .muted { color: var(--muted) } th.number, .number { text-align: right; font-variant-numeric: tabular-nums }
.badge { border-radius: .3rem; color: #fff; background: var(--muted); padding: .1rem .5rem; font-size: .85rem }
.firing.critical, .err { background: var(--critical) } .firing, .pending { background: var(--warning) } .resolved, .ok { background: var(--good) }
time, .badge { white-space: nowrap } .why { min-width: 14rem; overflow-wrap: anywhere }
.scroll { overflow-x: auto } table { border-collapse: collapse; overflow-wrap: normal; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top }
pre, code { font: 14px/1.4 ui-monospace, monospace } pre { border: 1px solid var(--line); overflow-x: auto; padding: .6rem; white-space: pre-wrap; word-break: break-word }
@media (max-width: 45rem) {
.stacked, .stacked tbody { display: block } .stacked tr { border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .4rem 0 }
.stacked tr:first-child { display: none } .stacked td { border: 0; overflow-wrap: anywhere; padding: 0; text-align: left }
.stacked td[data-label]::before { color: var(--muted); content: attr(data-label) " " } .stacked .why { flex-basis: 100%; min-width: 0 }
}
dl { display: grid; grid-template-columns: fit-content(40%) minmax(0, 1fr); gap: .2rem 1rem } dt { color: var(--muted) } dd { margin: 0 }
`);

/** Links in the body are relative to the engine's root, so that it may live behind any prefix of a proxy. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Browsers load the page again after so long, where it shows what changes by itself. */
  readonly refreshSeconds?: number;
}

export function page(title: string, body: Html): Page {
  return { title, body };
}

/** How often pages are loaded again that show agents between their pings. */
const REFRESH_SECONDS = 30;

export function livePage(title: string, body: Html): Page {
  return { title, body, refreshSeconds: REFRESH_SECONDS };
}

/** A whole HTML document. `root` leads from its address to that of the engine: `./`, `../` and so on. */
export function renderPage({ title, body, refreshSeconds }: Page, root: string): string {
  const refresh =
    refreshSeconds === undefined ? undefined : html`<meta http-equiv="refresh" content="${refreshSeconds}">\n`;
  return html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<base href="${root}">
${refresh}<style>${STYLE}</style></head>
<body>
<nav><a href="./">gpu-uptime</a><a href="alerts">alerts</a><a href="rules">rules</a><a href="ping-system/dashboard">agents</a></nav>
${body}
</body>
</html>
`.text;
}

/** `2026-01-01 12:03:05 UTC`. */
export function instant(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}</time>`;
}
