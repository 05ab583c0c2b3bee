import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokenTemplate, compileTemplate } from '../../../../engine/rules/template/template.ts';
import { AnsweringWorld, compiled, DATA } from './setting.ts';

async function expanded(text: string, world = new AnsweringWorld()): Promise<string> {
  return compiled(text).expand(DATA, world);
}

describe('compileTemplate: mistakes', () => {
  it.each([
    ['GPU {{ $labels.gpu', 4, 18, '"{{" is never closed', 'close it with "}}"'],
    ['{{ $lables.gpu }}', 3, 10, 'the variable $lables is not declared here', 'write $labels'],
    ['{{ $gpu }}', 3, 7, 'the variable $gpu is not declared here', 'declare it before: {{ $gpu := … }}'],
    ['{{ humanise $value }}', 3, 11, 'there is no function "humanise"', 'write "humanize"'],
    [
      '{{ instance }}',
      3,
      11,
      'there is no function "instance"',
      'for a label write $labels.instance, for a text "instance"',
    ],
    ['{{ if $value }}hot', 3, 5, '{{if}} is never ended', 'add {{end}} where it ends'],
    ['a{{ end }}', 4, 7, '{{end}} ends nothing', 'remove it, or begin with {{if}}, {{with}} or {{range}}'],
    [
      '{{ print "hot }}',
      9,
      16,
      'the text after " is never closed',
      String.raw`add the closing " on the same line; inside the text write \" for a quote`,
    ],
    ['{{ (1 }}', 3, 6, '"(" is never closed', 'add ")" before "}}"'],
    ['{{ 1) }}', 4, 5, '")" closes nothing', 'remove it, or add "(" before'],
    [
      '{{ $value+1 }}',
      3,
      10,
      '"+" cannot follow "$value" directly',
      'put a space between; templates have no arithmetic',
    ],
    ['{{ 0xg }}', 3, 6, '"0xg" is no number', 'write it like 15, 0.5, 1e6 or 0x1F; templates have no arithmetic'],
    ['{{ 1 | 2 }}', 7, 8, '2 after "|" is no function', 'write a function after "|", the value before it'],
    ['{{ break }}', 3, 8, '{{break}} stands outside of a loop', 'put it inside {{range}}'],
    ['{{/* note }}', 0, 12, 'the comment is never closed', 'end it with "*/}}"'],
    ['é {{ }}', 5, 7, 'a value is missing in the action', 'write one, such as $value or $labels.instance'],
  ])('%s', (text, from, to, message, fix) => {
    const result = compileTemplate(text);
    expect(result.ok ? [] : result.problems).toEqual([{ from, to, message, fix }]);
  });

  it('carries what Prometheus says, for a template that is only parsed when it is used', async () => {
    const result = compileTemplate('line\n{{ foo }}', { name: 'GpuHot' });
    const prometheus = 'error parsing template __alert_GpuHot: template: __alert_GpuHot:2: function "foo" not defined';
    expect(result).toMatchObject({ ok: false, prometheus });
    const text = await brokenTemplate(prometheus).expand(DATA, new AnsweringWorld());
    expect(text).toBe(`<error expanding template: ${prometheus}>`);
  });

  it('refuses what would exhaust the stack instead of failing', () => {
    const nested = (depth: number) => `{{ ${'('.repeat(depth)}1${')'.repeat(depth)} }}`;
    const blocks = (depth: number) => '{{ if 1 }}'.repeat(depth) + '{{ end }}'.repeat(depth);
    const elses = (depth: number) => `{{ if 1 }}${'{{ else if 1 }}'.repeat(depth)}{{ end }}`;
    expect([nested(250), blocks(250), elses(240)].map((text) => compileTemplate(text).ok)).toEqual([true, true, true]);
    const tooDeep = [nested(100_000), blocks(100_000), elses(100_000)].map((text) => compileTemplate(text));
    expect(tooDeep.map((result) => (result.ok ? '' : result.problems[0]?.message))).toEqual([
      'more than 250 parentheses are nested',
      'more than 250 blocks are nested',
      'more than 250 blocks are nested',
    ]);
  });

  it('ends for any text, and points into it', () => {
    fc.assert(
      fc.property(templateText(), (text) => {
        const result = compileTemplate(text);
        if (result.ok) return;
        expect(result.problems).toHaveLength(1);
        for (const { from, to, message, fix } of result.problems) {
          expect(from >= 0 && from <= to && to <= text.length).toBe(true);
          expect(message.length * fix.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('Template.expand', () => {
  it('answers at once unless the template asks a query', () => {
    const world = new AnsweringWorld({ up: [] });
    expect(compiled('{{ $labels.gpu }}: {{ $value }}').expand(DATA, world)).toBe('3: 92.25');
    expect(compiled('{{ query "up" | len }}').expand(DATA, world)).toBeInstanceOf(Promise);
  });

  it('asks every query once, though the template starts again after each answer', async () => {
    const up = [{ labels: { instance: 'a' }, value: 1 }];
    const world = new AnsweringWorld({ up, down: up });
    const text = '{{ query "up" | len }}{{ query "down" | len }}{{ range query "up" }}{{ .Labels.instance }}{{ end }}';
    expect(await expanded(text, world)).toBe('11a');
    expect(world.asked).toEqual(['up', 'down']);
  });

  it('asks only what it reaches, with what earlier answers said', async () => {
    const world = new AnsweringWorld({ first: [{ labels: { next: 'second' }, value: 1 }], second: [] });
    const text =
      '{{ with query "first" }}{{ query (. | first | label "next") | len }}{{ else }}{{ query "third" }}{{ end }}';
    expect(await expanded(text, world)).toBe('0');
    expect(world.asked).toEqual(['first', 'second']);
  });

  it('writes why a query failed', async () => {
    const place = 'template: __alert_GpuHot:1:119: executing "__alert_GpuHot" at <query "nothing">';
    const reason = `error executing template __alert_GpuHot: ${place}: error calling query: no such query`;
    expect(await expanded('now {{ query "nothing" }}')).toBe(`<error expanding template: ${reason}>`);
  });

  it.each([
    [
      'different queries',
      '{{ range $i := 200 }}{{ query (print $i) }}{{ end }}',
      'a template may ask 100 different queries',
    ],
    [
      'text',
      '{{ $x := "12345678" }}{{ range 64 }}{{ $x = print $x $x }}{{ end }}',
      'the text is longer than 1048576 letters',
    ],
    ['output', '{{ range 100000 }}{{ printf "%100d" 1 }}{{ end }}', 'the text is longer than 1048576 letters'],
    ['steps', '{{ range 1000000000 }}{{ end }}', 'stopped after 1000000 steps'],
    [
      'depth',
      '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}',
      'exceeded maximum template depth (100000)',
    ],
  ])('bounds %s', async (_, text, reason) => {
    const numbers = Array.from({ length: 200 }, (_, index) => [String(index), []] as const);
    const answer = await expanded(text, new AnsweringWorld(Object.fromEntries(numbers)));
    expect(answer).toMatch(
      /^<error expanding template: error executing template __alert_GpuHot: template: __alert_GpuHot:1:/,
    );
    expect(answer).toContain(`: ${reason}>`);
  });

  it.each([
    ['tmpl renders a defined template', '{{ define "t" }}<{{ . }}>{{ end }}{{ tmpl "t" $labels.gpu }}', '<3>'],
    ['graphLink', '{{ graphLink "up" }}', '/graph?g0.expr=up&g0.tab=0'],
    ['tableLink', '{{ tableLink "up" }}', '/graph?g0.expr=up&g0.tab=1'],
    ['pathPrefix', '<{{ pathPrefix }}>', '<>'],
    ['safeHtml', '{{ safeHtml "<b>" }}', '<b>'],
    ['strvalue', '<{{ query "up" | first | strvalue }}>', '<>'],
    [
      'externalLabels and externalURL',
      '{{ $externalLabels.region }} {{ $externalURL }}',
      'eu http://prometheus.example:9090',
    ],
  ])('knows what the specification leaves open: %s', async (_, text, written) => {
    expect(await expanded(text, new AnsweringWorld({ up: [{ labels: {}, value: 1 }] }))).toBe(written);
  });

  it('never throws nor rejects, whatever compiles', async () => {
    const world = new AnsweringWorld({ up: [{ labels: { a: 'b' }, value: 1 }] });
    let expansions = 0;
    await fc.assert(
      fc.asyncProperty(templateText(), async (text) => {
        const result = compileTemplate(text);
        if (!result.ok) return;
        const written = await result.template.expand(DATA, world);
        expect(written.isWellFormed() || !text.isWellFormed()).toBe(true);
        expansions++;
      }),
      { numRuns: 2000 },
    );
    expect(expansions).toBeGreaterThan(200);
  });
});

const WORDS = [
  ...[
    '$value',
    '$labels',
    '.Labels.gpu',
    '.',
    '$',
    'nil',
    'true',
    '1',
    '-2.5',
    '1e300',
    '"up"',
    '`a`',
    "'x'",
    '$x := 1',
    '(',
  ],
  ...[
    ')',
    '|',
    '=',
    'if',
    'else',
    'end',
    'range',
    'with',
    'define "t"',
    'template "t"',
    'break',
    'query',
    'first',
    'index',
  ],
  ...[
    'slice',
    'printf',
    '"%*.3[1]d"',
    '"%v %x"',
    'humanize',
    'toTime',
    'match',
    'reReplaceAll',
    'title',
    'len',
    'eq',
    'args',
  ],
];

/** Texts of random letters, of words that templates are made of, and of single actions. */
function templateText(): fc.Arbitrary<string> {
  const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 4 }).map((found) => found.join(' '));
  const action = words.map((inside) => `{{ ${inside} }}`);
  const call = fc
    .tuple(
      fc.constantFrom('humanize', 'printf "%6.2q"', 'toTime', 'title', 'len', 'js', 'print', 'query', 'not'),
      fc.constantFrom('$value', '$labels', '"up"', 'nil', '1'),
    )
    .map(([name, argument]) => `{{ ${name} ${argument} }}`);
  const loose = fc.constantFrom('{{', '}}', '{{-', ' -}}', '/*', '\n', '"', '\ud800', 'é', '😀');
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(action, loose, fc.string()), { maxLength: 6 }).map((parts) => parts.join('')),
    fc.array(call, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' ')),
  );
}
