import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../engine/rules/template.ts';

function expand(text: string, value: number, labels: Record<string, string> = {}): string {
  const template = compileTemplate(text);
  if (!template.ok) throw new Error(JSON.stringify(template.problems));
  return template.expand({ labels, value });
}

describe('compileTemplate: what it writes', () => {
  it.each([
    ['plain text', 'no template, }} and { stay', 1, 'no template, }} and { stay'],
    ['a label', 'gpu {{ $labels.gpu }}', 1, 'gpu 3'],
    ['a label without blanks', '{{$labels.gpu}}', 1, '3'],
    ['a label the element lacks', '<{{ $labels.nothing }}>', 1, '<>'],
    ['a name that every object has', '<{{ $labels.constructor }}>', 1, '<>'],
    ['the value', '{{ $value }} °C', 92, '92 °C'],
    ['several actions', '{{ $labels.gpu }}{{ $value }}{{ $labels.gpu }}', 1, '313'],
    ['lines', 'a\n{{ $value }}\nb', 1, 'a\n1\nb'],
    ['printf by pipe', '{{ $value | printf "%.1f" }}', 2.25, '2.2'],
    ['printf by argument', '{{ printf "%.0f" $value }}', 2.5, '2'],
    ['printf %g', '{{ $value | printf "%g" }}', 1_234_567, '1.234567e+06'],
    ['printf %s', '{{ $labels.gpu | printf "%s" }}', 1, '3'],
    ['humanize', '{{ $value | humanize }}', 1_234_567, '1.235M'],
    ['humanize of a small number', '{{ humanize $value }}', 0.00001, '10u'],
    ['humanize of a label', '{{ $labels.watts | humanize }}', 1, '1.5k'],
    ['humanizePercentage', '{{ $value | humanizePercentage }}', 0.9315, '93.15%'],
    ['humanizeDuration of days', '{{ $value | humanizeDuration }}', 90_061, '1d 1h 1m 1s'],
    ['humanizeDuration below a second', '{{ $value | humanizeDuration }}', 0.012, '12ms'],
    ['humanizeDuration of a negative time', '{{ $value | humanizeDuration }}', -3725.5, '-1h 2m 5s'],
    ['a chain', '{{ $value | humanize | printf "%s" }}', 1500, '1.5k'],
  ])('%s', (_, text, value, expected) => {
    expect(expand(text, value, { gpu: '3', watts: '1500' })).toBe(expected);
  });

  it('writes what went wrong in place of the text, and never throws', () => {
    expect(expand('{{ $labels.gpu | humanize }}', 1, { gpu: 'three' })).toBe(
      '<error expanding template: humanize of "three", not a number>',
    );
  });
});

describe('compileTemplate: what it refuses', () => {
  it.each([
    ['{{ if $value }}', 'the template has "$value" where'],
    ['a {{ .Labels.gpu }}', 'the template has ".Labels.gpu" where a value belongs'],
    ['{{ $labels }}', 'the template has "$labels" where a value belongs'],
    ['{{ "text" }}', String.raw`the template has "\"text\"" where a value belongs`],
    ['{{ }}', 'the template has "" where a value belongs'],
    ['{{ $value', '"{{" without "}}"'],
    ['{{- $value }}', 'the template calls "-"'],
    ['{{ $value | toUpper }}', 'the template calls "toUpper"'],
    ['{{ $value | humanize 3 }}', 'the template calls "humanize 3"'],
    ['{{ $value | printf "%d" }}', String.raw`the template calls "printf \"%d\""`],
    ['{{ $labels.gpu | printf "%.1f" }}', 'printf "%.1f" is given text'],
    ['{{ $value | printf "%s" }}', 'printf "%s" is given a number'],
    ['{{ $value | humanize | printf "%g" }}', 'printf "%g" is given text'],
    ['{{ $value | constructor }}', 'the template calls "constructor"'],
  ])('%s', (text, message) => {
    const template = compileTemplate(text);
    if (text.startsWith('{{ if')) return expect(template.ok).toBe(false);
    const from = text.indexOf('{{');
    return expect(template).toEqual({ ok: false, problems: [{ from, to: text.length, message }] });
  });

  it('reports every action that is wrong', () => {
    const template = compileTemplate('{{ .a }} {{ $value }} {{ .b }}');
    expect(template.ok ? [] : template.problems.map(({ from, to }) => [from, to])).toEqual([
      [0, 8],
      [22, 30],
    ]);
  });
});
