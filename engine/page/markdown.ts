/** The Markdown of runbooks as HTML: headings, paragraphs, lists, code and links. What it does not know stays text. */
import { type Html, html, linkTo } from './html.ts';

/** Links to `Name.md` beside the text lead to the page of that runbook. */
export function markdown(text: string): Html {
  const parts = text.replaceAll('\r\n', '\n').split(FENCE);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<pre>${part}</pre>\n` : blocks(part)))}`;
}

/** The text inside stays in the parts of a split, at the odd places. */
const FENCE = /^```.*\n([\s\S]*?)^```[ \t]*$/m;

function blocks(text: string): readonly Html[] {
  const apart = text.replace(HEADING_LINE, '\n$1\n').replace(BEFORE_LIST, '$1\n');
  return apart
    .split(/\n(?:[ \t]*\n)+/)
    .map((block) => block.replace(/^\n+|\s+$/g, ''))
    .filter((block) => block !== '')
    .map(block);
}

const HEADING_LINE = /^(#{1,6} .*)$/gm;
/** A line of prose right above the first item of a list. */
const BEFORE_LIST = /^((?![-*] |\d+\. |\s).+\n)(?=(?:[-*]|\d+\.) )/gm;
const ITEM = /\n(?=(?:[-*]|\d+\.) )/;
const MARKER = /^(?:[-*]|\d+\.) +/;

function block(text: string): Html {
  const [, marks, title = ''] = /^(#{1,6}) +(.*)/.exec(text) ?? [];
  if (marks !== undefined) return marks === '#' ? html`<h1>${inline(title)}</h1>\n` : html`<h2>${inline(title)}</h2>\n`;
  // Tables are read best as they were typed.
  if (/^(?: {4}|\|)/.test(text)) return html`<pre>${text.replace(/^ {4}/gm, '')}</pre>\n`;
  if (!MARKER.test(text)) return html`<p>${inline(text)}</p>\n`;
  const items = text.split(ITEM).map((item) => html`<li>${inline(item.replace(MARKER, ''))}</li>\n`);
  return /^\d/.test(text) ? html`<ol>${items}</ol>\n` : html`<ul>${items}</ul>\n`;
}

const SPAN = /(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/;

function inline(text: string): readonly Html[] {
  return text.split(SPAN).map((part, index) => (index % 2 === 1 ? span(part) : html`${part}`));
}

function span(text: string): Html {
  if (text.startsWith('`')) return html`<code>${text.slice(1, -1)}</code>`;
  if (text.startsWith('**')) return html`<strong>${text.slice(2, -2)}</strong>`;
  const [, title = '', target = ''] = /^\[([^\]]+)\]\((.*)\)$/.exec(text) ?? [];
  const [, runbook] = /^([\w-]+)\.md(?:#.*)?$/.exec(target) ?? [];
  return runbook === undefined ? linkTo(target, title) : html`<a href="runbooks/${runbook}">${title}</a>`;
}
