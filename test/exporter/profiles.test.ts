import { describe, expect, it } from 'vitest';
import { type Family, renderText } from '../../exporter/metrics/exposition.ts';
import { familiesOf, parseProfiles, preferredFormat } from '../../exporter/metrics/profiles.ts';

const parse = (...texts: readonly string[]) => parseProfiles(texts, ['dcgm']);

describe('parseProfiles', () => {
  it.each([
    [[], ['dcgm']],
    [[''], ['dcgm']],
    [['native'], ['native']],
    [['platform,dcgm'], ['dcgm', 'platform']],
    [
      ['native', 'dcgm'],
      ['dcgm', 'native'],
    ],
    [['native, native,', 'native'], ['native']],
  ])('%j: %j', (texts, profiles) => {
    expect(parse(...texts)).toEqual({ kind: 'profiles', profiles });
  });

  it('says which profiles there are when another is asked for', () => {
    expect(parse('Native,dcgm', 'x', 'x')).toEqual({
      kind: 'unknown',
      names: ['Native', 'x'],
      fix: 'give dcgm, native, or platform, or several of them with commas between',
    });
  });
});

describe('preferredFormat', () => {
  it('is text wherever names of dcgm-exporter are on the page', () => {
    expect([['dcgm'], ['native'], ['dcgm', 'native']].map((names) => preferredFormat(names as ['dcgm']))).toEqual([
      'text',
      'openmetrics',
      'text',
    ]);
  });
});

describe('familiesOf', () => {
  const gauge = (name: string, value: number): Family => ({
    name,
    type: 'gauge',
    help: 'h',
    series: [{ labels: { uuid: 'x', index: '0' }, value }],
  });
  const byName = {
    dcgm: (value: number) => [gauge('DCGM_A', value)],
    native: (value: number) => [gauge('a', value), gauge('b', value)],
    platform: (value: number) => [gauge('b', value + 1), gauge('c', value)],
  };

  it('puts profiles on one page, each name once, labels sorted but for those of dcgm-exporter', () => {
    const text = renderText(familiesOf(['dcgm', 'native', 'platform'], byName, 7));
    expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      'DCGM_A{uuid="x",index="0"} 7',
      'a{index="0",uuid="x"} 7',
      'b{index="0",uuid="x"} 7',
      'c{index="0",uuid="x"} 7',
      '',
    ]);
  });
});
