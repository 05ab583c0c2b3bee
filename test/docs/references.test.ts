/** What the documents name exists: links, anchors, paths, npm scripts, commands. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../engine/cli/commands.ts';
import {
  anchors,
  codeOf,
  codeSpans,
  type Document,
  internalLinks,
  ROOT,
  readDocument,
  readDocuments,
} from './documents.ts';

const DOCUMENTS = readDocuments();
const SCRIPTS: readonly string[] = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts);

/** Directories that a document announces and says are not there yet. */
const ANNOUNCED: Readonly<Record<string, readonly string[]>> = {
  'grafana/README.md': ['json/', 'provisioning/dashboards/'],
};

/** Written at run time and ignored by git. */
const RUNTIME = /^(data|\.tools)(\/|$)|^engine\.db$/;
const MEDIA_TYPE = /^(application|text)\//;
const FILE_NAME = /\.(ts|mjs|json|yml|yaml|md|sql|conf|tmpl|prom)$|(^|\/)(Caddyfile|Dockerfile)$/;

function isPath(code: string): boolean {
  if (!/^\.?[\w@*][\w.@*-]*(\/[\w.@*-]+)*\/?$/.test(code)) return false;
  return (code.includes('/') || FILE_NAME.test(code)) && !RUNTIME.test(code) && !MEDIA_TYPE.test(code);
}

/** A path may be written from the root, or from the folder of its document. */
function isThere(document: Document, path: string): boolean {
  const folders = [ROOT, join(ROOT, dirname(document.path))];
  return folders.some((cwd) => existsSync(join(cwd, path)) || globSync(path, { cwd }).length > 0);
}

function missingTarget(document: Document, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document.path : normalize(join(dirname(document.path), path));
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && !anchors(readDocument(target)).includes(anchor);
}

describe.each(DOCUMENTS.map((document) => [document.path, document] as const))('%s', (path, document) => {
  it('links only to what exists', () => {
    expect(internalLinks(document).filter((link) => missingTarget(document, link))).toEqual([]);
  });

  it('names only paths that exist', () => {
    const missing = codeSpans(document).filter((code) => isPath(code) && !isThere(document, code));
    expect(missing.filter((code) => !(ANNOUNCED[path] ?? []).includes(code))).toEqual([]);
  });

  it('names only npm scripts that package.json has', () => {
    const code = codeOf(document);
    const run = [...code.matchAll(/\bnpm run ([\w:-]+)/g), ...code.matchAll(/\bnpm (start|test)\b/g)];
    expect(run.map(([, script = '']) => script).filter((script) => !SCRIPTS.includes(script))).toEqual([]);
  });

  it('names only commands that gpu-uptime has', () => {
    const named = [...codeOf(document).matchAll(/(?<![\w/.-])gpu-uptime (?:-- )?([a-z]+(?:-[a-z]+)*)\b/g)].map(
      ([, name = '']) => name,
    );
    const known = COMMANDS.map(({ name }) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('what is announced', () => {
  it.each(Object.entries(ANNOUNCED))('%s still waits for it', (document, paths) => {
    const there = paths.filter((path) => existsSync(join(ROOT, dirname(document), path)));
    expect(there, 'it is here now: take it out of ANNOUNCED').toEqual([]);
  });
});

describe('this test', () => {
  it('finds something to look at', () => {
    expect(DOCUMENTS.length).toBeGreaterThan(10);
    expect(DOCUMENTS.flatMap(internalLinks).length).toBeGreaterThan(10);
    expect(DOCUMENTS.flatMap(codeSpans).filter(isPath).length).toBeGreaterThan(50);
  });
});
