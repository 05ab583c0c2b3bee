/** Templates and what Prometheus 3 writes for them, recorded from its own template package; `refused` is its parse error. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../../engine/prometheus/query.ts';
import { brokenTemplate, compileTemplate, type TemplateWorld } from '../../../../engine/rules/template/template.ts';

interface Case {
  readonly template: string;
  readonly value: string;
  readonly text?: string;
  readonly refused?: string;
}

interface Golden {
  readonly setting: {
    readonly alert: string;
    readonly atMs: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly externalLabels: Readonly<Record<string, string>>;
    readonly externalUrl: string;
    readonly queries: Readonly<Record<string, readonly { labels: Record<string, string>; value: string }[]>>;
  };
  readonly cases: readonly Case[];
}

const FOLDER = join(import.meta.dirname, 'golden');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

function worldOf({ atMs, queries }: Golden['setting']): TemplateWorld {
  return {
    atMs,
    async query(expr): Promise<readonly Sample[]> {
      const answer = Object.hasOwn(queries, expr) ? queries[expr] : undefined;
      if (answer === undefined) throw new Error('no such query');
      return answer.map(({ labels, value }) => ({ labels, value: numberOf(value) }));
    },
  };
}

async function ourAnswer({ template, value }: Case, setting: Golden['setting']): Promise<Case> {
  const compiled = compileTemplate(template, { name: setting.alert });
  const data = { ...setting, value: numberOf(value) };
  if (!compiled.ok) {
    const broken = await brokenTemplate(compiled.prometheus).expand(data, worldOf(setting));
    return { template, value, refused: broken.slice('<error expanding template: '.length, -1) };
  }
  return { template, value, text: await compiled.template.expand(data, worldOf(setting)) };
}

describe.each(FILES)('templates like those of Prometheus: %s', (file) => {
  const golden = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Golden;

  it(`writes and refuses the same, word by word (${golden.cases.length} templates)`, async () => {
    const answers = await Promise.all(golden.cases.map((recorded) => ourAnswer(recorded, golden.setting)));
    expect(answers).toEqual(golden.cases);
    expect(answers.length).toBeGreaterThanOrEqual(10);
  });
});
