import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { markdown } from '../../../engine/page/markdown.ts';
import { ROOT } from '../../docs/documents.ts';

const RUNBOOKS = join(ROOT, 'rules/runbooks');
const NAMES = readdirSync(RUNBOOKS).map((file) => file.replace(/\.md$/, ''));

describe('markdown', () => {
  it.each([
    ['# Title\nwith text', '<h1>Title</h1>\n<p>with text</p>\n'],
    ['## One\n\n### Two', '<h2>One</h2>\n<h2>Two</h2>\n'],
    ['two\nlines\n\nand more', '<p>two\nlines</p>\n<p>and more</p>\n'],
    ['- one\n  goes on\n- two', '<ul><li>one\n  goes on</li>\n<li>two</li>\n</ul>\n'],
    ['1. one\n2. two', '<ol><li>one</li>\n<li>two</li>\n</ol>\n'],
    ['above\n- one', '<p>above</p>\n<ul><li>one</li>\n</ul>\n'],
    ['say `a < b` and **now**', '<p>say <code>a &lt; b</code> and <strong>now</strong></p>\n'],
    ['```sh\n# no title\n- no list\n\nls\n```\nafter', '<pre># no title\n- no list\n\nls\n</pre>\n<p>after</p>\n'],
    ['    indented\n    code', '<pre>indented\ncode</pre>\n'],
    ['| a | b |\n| - | - |', '<pre>| a | b |\n| - | - |</pre>\n'],
    ['[it](GpuLost.md#fix)', '<p><a href="runbooks/GpuLost">it</a></p>\n'],
    ['[the\nsite](https://example.com/a)', '<p><a href="https://example.com/a">the\nsite</a></p>\n'],
    ['[rows](../counters.csv) [x](javascript:alert)', '<p>rows x</p>\n'],
    ['<b>&"\'`<i>`', '<p>&lt;b&gt;&amp;&quot;&#39;<code>&lt;i&gt;</code></p>\n'],
    ['# A\r\n\r\n- b\r\n', '<h1>A</h1>\n<ul><li>b</li>\n</ul>\n'],
    ['', ''],
  ])('%j', (text, expected) => {
    expect(markdown(text).text).toBe(expected);
  });

  it.each(NAMES)('leaves no mark of Markdown in the runbook of %s', (name) => {
    const { text } = markdown(readFileSync(join(RUNBOOKS, `${name}.md`), 'utf8'));
    expect(text).toMatch(new RegExp(`^<h1>${name}</h1>\n<p>Severity`));
    expect(text.match(/<h2>[^<]*/g)).toEqual([
      '<h2>What it means',
      '<h2>First checks',
      '<h2>Fix',
      '<h2>When it clears',
    ]);
    expect(text.replace(/<code>[^<]*<\/code>/g, '').match(/[`*]|\]\(|^\s*(?:#|-|\d\.) /gm)).toBe(null);
    const linked = [...text.matchAll(/href="runbooks\/([^"]*)"/g)].map(([, alert]) => alert);
    expect(linked.filter((alert) => !NAMES.includes(alert ?? ''))).toEqual([]);
  });
});
