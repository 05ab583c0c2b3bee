/** Small rule files, each a question to the loader, with the answer of Prometheus. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { loadRules } from '../../../engine/rules/rule-file.ts';
import { requirePromtool } from './promtool.ts';

interface Case {
  readonly topic: string;
  readonly name: string;
  readonly text: string;
  /** What the newest Prometheus says. */
  readonly isGood: boolean;
  /** First version that says so; older ones say the opposite. */
  readonly since: string;
}

/** Every file maps `good` and `bad`, or `good since 3.0` and so on, to texts by name. */
const CASES: readonly Case[] = globSync(join(import.meta.dirname, 'corpus/*.yml'))
  .sort()
  .flatMap(readCases);

function readCases(file: string): Case[] {
  const sections = load(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
  return Object.entries(sections).flatMap(([section, texts]) => {
    const [verdict = '', since = '0.0'] = section.split(' since ');
    const common = { topic: basename(file, '.yml'), isGood: verdict === 'good', since };
    return Object.entries(texts).map(([name, text]) => ({ ...common, name, text }));
  });
}

function diagnosticsOf({ text }: Case) {
  return loadRules([{ file: 'rules.yml', text }]).diagnostics;
}

function isAccepted(one: Case): boolean {
  return diagnosticsOf(one).every(({ severity }) => severity !== 'error');
}

function titles(cases: readonly Case[]): readonly string[] {
  return cases.map(({ topic, name }) => `${topic}: ${name}`);
}

describe('loadRules on the corpus', () => {
  it('has hundreds of questions, of both answers', () => {
    expect(CASES.filter(({ isGood }) => isGood).length).toBeGreaterThan(250);
    expect(CASES.filter(({ isGood }) => !isGood).length).toBeGreaterThan(200);
  });

  it('accepts what Prometheus accepts', () => {
    expect(titles(CASES.filter((one) => one.isGood && !isAccepted(one)))).toEqual([]);
  });

  it('rejects what Prometheus rejects', () => {
    expect(titles(CASES.filter((one) => !one.isGood && isAccepted(one)))).toEqual([]);
  });

  it('says where every problem is, and what to do', () => {
    const vague = CASES.filter((one) =>
      diagnosticsOf(one).some(({ line, column, endColumn = 0, message, fix }) => {
        return line < 1 || column < 1 || endColumn <= column || message === '' || fix === '';
      }),
    );
    expect(titles(vague)).toEqual([]);
  });

  it('warns of names that older versions of Prometheus refuse', () => {
    const silent = CASES.filter(({ topic, since }) => topic === 'names' && since === '3.0').filter(
      (one) => !diagnosticsOf(one).some(({ message }) => message.endsWith('needs Prometheus 3')),
    );
    expect(titles(silent)).toEqual([]);
  });
});

describe('promtool on the corpus', () => {
  it('gives the same answers', async (context) => {
    const promtool = await requirePromtool(context);
    const answers = promtool.accepts(CASES.map(({ text }) => text));
    const wrong = CASES.filter(({ isGood, since }, index) => {
      const expected = isAtLeast(promtool.version, since) ? isGood : !isGood;
      return answers[index] !== expected;
    });
    expect(titles(wrong)).toEqual([]);
  });
});

function isAtLeast(version: string, since: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [sinceMajor = 0, sinceMinor = 0] = since.split('.').map(Number);
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}
