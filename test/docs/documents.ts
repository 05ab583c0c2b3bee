/** The Markdown of this repository, and what it says about paths, links, commands and endpoints. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Document {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
  /** The text without fenced blocks. */
  readonly prose: string;
}

const FENCED = /^```[\s\S]*?^```$/gm;

/** Every Markdown file but those of packages and of what is generated at run time. */
export function readDocuments(): readonly Document[] {
  const exclude = ['node_modules/**', 'data/**', '.tools/**'];
  return globSync('**/*.md', { cwd: ROOT, exclude }).sort().map(readDocument);
}

export function readDocument(path: string): Document {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, prose: text.replace(FENCED, '') };
}

/** Texts in backticks. */
export function codeSpans({ prose }: Document): readonly string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** All that is shown as code: spans, fenced and indented blocks. */
export function codeOf(document: Document): string {
  const fenced = document.text.match(FENCED) ?? [];
  const indented = document.prose.match(/^ {4,}\S.*$/gm) ?? [];
  return [...codeSpans(document), ...fenced, ...indented].join('\n');
}

/** Targets of links that do not leave the repository: `rules/README.md`, `../README.md#configuration`, `#try-it`. */
export function internalLinks({ prose }: Document): readonly string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors({ prose }: Document): readonly string[] {
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Cells of the rows of the table whose first column is called `title`. */
export function tableRows({ text }: Document, title: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const head = lines.findIndex((line) => new RegExp(`^\\| ${title} +\\|`).test(line));
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return (head < 0 ? [] : rows.slice(0, end)).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
