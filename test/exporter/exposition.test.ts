import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Family, renderText } from '../../exporter/metrics/exposition.ts';
import { everyType } from './every-type.ts';

const family = (value: number, labels: Record<string, string> = {}): Family => ({
  name: 'a',
  type: 'gauge',
  help: 'b',
  series: [{ labels, value }],
});

describe('renderText', () => {
  it('writes every type like this', async () => {
    await expect(renderText(everyType)).toMatchFileSnapshot('golden/every-type.prom');
  });

  it.each([
    { what: 'a backslash', raw: 'a\\b', escaped: 'a\\\\b' },
    { what: 'a quote', raw: 'a"b', escaped: 'a\\"b' },
    { what: 'a line feed', raw: 'a\nb', escaped: 'a\\nb' },
    { what: 'a backslash before an n, which is no line feed', raw: 'a\\nb', escaped: 'a\\\\nb' },
    { what: 'letters of any script as they are', raw: 'Größe 温度', escaped: 'Größe 温度' },
  ])('escapes $what in a label value', ({ raw, escaped }) => {
    expect(renderText([family(1, { l: raw })])).toBe(`# HELP a b\n# TYPE a gauge\na{l="${escaped}"} 1\n`);
  });

  it('escapes help texts, where quotes stay as they are', () => {
    expect(renderText([{ ...family(1), help: 'a\\b "c"\nd' }])).toContain('# HELP a a\\\\b "c"\\nd\n');
  });

  it.each([
    [0, '0'],
    [-0, '0'],
    [1.5, '1.5'],
    [0.1, '0.1'],
    [211_680_000_000, '211680000000'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
  ])('writes %d in the shortest form', (value, text) => {
    expect(renderText([family(value)])).toBe(`# HELP a b\n# TYPE a gauge\na ${text}\n`);
  });

  it.each([Number.NaN, Infinity, -Infinity])('leaves out %d, and a family that has nothing else', (value) => {
    expect(renderText([family(value)])).toBe('');
    const [known] = family(1, { l: 'x' }).series;
    const both = { ...family(value), series: [...family(value, { l: 'y' }).series, ...(known ? [known] : [])] };
    expect(renderText([both])).toBe('# HELP a b\n# TYPE a gauge\na{l="x"} 1\n');
  });

  it('sorts families by name and leaves out those without series', () => {
    const named = (name: string): Family => ({ ...family(1), name });
    const text = renderText([named('b'), named('B'), { ...named('c'), series: [] }, named('a')]);
    expect(text.match(/^# TYPE \w+/gm)).toEqual(['# TYPE B', '# TYPE a', '# TYPE b']);
    expect(text).not.toContain('c');
  });

  it('keeps the order of labels, or sorts them where it is told to, also for labels it has met before', () => {
    const given = family(1, { gpu: '0', UUID: 'x', device: 'nvidia0' });
    const own = 'a{gpu="0",UUID="x",device="nvidia0"} 1\n';
    const sorted = 'a{UUID="x",device="nvidia0",gpu="0"} 1\n';
    expect(renderText([given])).toContain(own);
    expect(renderText([{ ...given, labelOrder: 'sorted' }])).toContain(sorted);
    expect(renderText([given])).toContain(own);
  });

  it('writes any label value so that it can be read back', () => {
    const value = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(value, (raw) => {
        const [, , sample = ''] = renderText([family(1, { l: raw })]).split('\n');
        expect(
          sample.slice('a{l="'.length, -'"} 1'.length).replaceAll(/\\(.)/gs, (_, c) => (c === 'n' ? '\n' : c)),
        ).toBe(raw);
      }),
    );
  });
});
