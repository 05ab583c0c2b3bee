/** Each rule is changed a little, and its unit test has to notice: a boundary that no test holds would move unseen. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { formatDuration } from '../../engine/policy/duration.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { promtool } from './promtool.ts';
import { ALERTS, ROOT } from './rule-files.ts';
import { pathOf, readUnitTests, stepMsOf } from './unit-test-file.ts';

type Change = (rule: string) => string;

/** The unit tests of the rule against a file in which it stands alone and is changed. */
async function verdictOn(context: TestContext, { name, file }: (typeof ALERTS)[number], change: Change) {
  const directory = temporaryDirectory();
  const text = readFileSync(join(ROOT, file), 'utf8');
  const rule = new RegExp(`- alert: ${name}\\n[\\s\\S]*?(?=\\n +- alert: |\\n +- name: |$)`).exec(text)?.[0] ?? '';
  const changed = change(rule);
  expect(changed, 'the change changes something').not.toBe(rule);
  writeFileSync(
    join(directory, basename(file)),
    `groups:
  - name: changed
    rules:
      ${changed}
`,
  );
  const tests = readFileSync(join(ROOT, pathOf(name)), 'utf8').replace('../alerts/', '');
  const test = join(directory, 'unit.test.yml');
  writeFileSync(test, tests);
  return promtool(context, 'test', 'rules', test);
}

function withFor(ms: number): Change {
  return (rule) =>
    /^ +for: /m.test(rule)
      ? rule.replace(/^( +for: ).*$/m, `$1${formatDuration(ms)}`)
      : rule.replace(/^( +)labels:$/m, `$1for: ${formatDuration(ms)}\n$1labels:`);
}

const OTHER: Readonly<Record<string, string>> = { '>': '>=', '>=': '>', '<': '<=', '<=': '<' };
const BOUND = /(?<=\s)(?:>=|<=|>|<)(?=\s+(?:\d|on \(\)))/g;

/** Every bound of every rule. Rates are extrapolated, so that none lies on its bound exactly. */
const BOUNDS = ALERTS.filter(({ expr }) => !/\b(?:rate|increase)\(/.test(expr)).flatMap((rule) =>
  [...rule.expr.matchAll(BOUND)].map((_, nth) => ({ ...rule, nth })),
);

function withOtherBound(nth: number): Change {
  return (rule) => {
    const [expr = ''] = /expr:[\s\S]*?\n +(?=(?:for|labels):)/.exec(rule) ?? [];
    let seen = -1;
    const moved = expr.replace(BOUND, (operator) => {
      seen += 1;
      return seen === nth ? (OTHER[operator] ?? operator) : operator;
    });
    return rule.replace(expr, () => moved);
  };
}

/** It runs, and what it finds is another course of this alert: a file that cannot be read is no proof. */
function noticing(name: string) {
  return { ok: false, output: expect.stringContaining(`alertname: ${name}, time:`) };
}

describe('the unit test of a rule', () => {
  it.for(ALERTS)('$name notices a `for` that is one evaluation longer', async (rule, context) => {
    const stepMs = stepMsOf(readUnitTests(rule.name));
    expect(await verdictOn(context, rule, withFor(rule.forMs + stepMs))).toEqual(noticing(rule.name));
  });

  it.for(ALERTS.filter(({ forMs }) => forMs > 0))(
    '$name notices a `for` that is one evaluation shorter',
    async (rule, context) => {
      const stepMs = stepMsOf(readUnitTests(rule.name));
      expect(await verdictOn(context, rule, withFor(rule.forMs - stepMs))).toEqual(noticing(rule.name));
    },
  );

  it.for(BOUNDS)('$name knows on which side the bound $nth itself lies', async ({ nth, ...rule }, context) => {
    expect(await verdictOn(context, rule, withOtherBound(nth))).toEqual(noticing(rule.name));
  });
});
