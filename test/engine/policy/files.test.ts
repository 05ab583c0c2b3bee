import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../../engine/policy/diagnostics.ts';
import { loadPolicy } from '../../../engine/policy/load.ts';

const BAD = new URL('./golden/bad/', import.meta.url);
const GOOD = new URL('./golden/good/', import.meta.url);

function policiesIn(folder: URL): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.yml'));
}

/** A file under test names the variables it is loaded with in comments: `# env: NAME=text`. */
function environmentOf(source: string): Record<string, string> {
  const pairs = [...source.matchAll(/^# env: (\w+)=(.*)$/gm)];
  return Object.fromEntries(pairs.map(([, name = '', text = '']) => [name, text]));
}

function load(folder: URL, name: string) {
  const source = readFileSync(new URL(name, folder), 'utf8');
  return { source, outcome: loadPolicy({ file: name, source, env: environmentOf(source) }) };
}

describe('bad policy files', () => {
  it.each(policiesIn(BAD))('%s is refused with the diagnostics beside it', async (name) => {
    const { source, outcome } = load(BAD, name);
    const diagnostics = outcome.ok ? [] : outcome.diagnostics;
    const golden = new URL(name.replace(/\.yml$/, '.txt'), BAD);
    expect(outcome.ok).toBe(false);
    expect(existsSync(golden), `${golden.pathname} is missing; write it with: vitest run -u test/engine/policy`).toBe(
      true,
    );
    await expect(renderDiagnostics(diagnostics, { [name]: source })).toMatchFileSnapshot(golden.pathname);
  });

  it.each(policiesIn(BAD))('%s: every diagnostic says what to do', (name) => {
    const { outcome } = load(BAD, name);
    const speechless = outcome.ok ? [] : outcome.diagnostics.filter(({ fix, message }) => fix === '' || message === '');
    expect(speechless).toEqual([]);
  });
});

describe('good policy files', () => {
  it.each(policiesIn(GOOD))('%s is accepted without warnings', (name) => {
    const { source, outcome } = load(GOOD, name);
    const diagnostics = outcome.ok ? outcome.warnings : outcome.diagnostics;
    expect(renderDiagnostics(diagnostics, { [name]: source })).toBe('');
  });
});
