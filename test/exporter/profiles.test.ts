import { describe, expect, it } from 'vitest';
import { type Family, renderText } from '../../exporter/metrics/exposition.ts';
import { familiesOf, parseProfiles, preferredFormat } from '../../exporter/metrics/profiles.ts';

const parse = (query: string) => parseProfiles(new URLSearchParams(query), ['dcgm']);

describe('parseProfiles', () => {
  it.each([
    ['', ['dcgm']],
    ['profile=', ['dcgm']],
    ['collect[]=x', ['dcgm']],
    ['profile=native', ['native']],
    ['profile=platform,dcgm', ['dcgm', 'platform']],
    ['profile=native&profile=dcgm', ['dcgm', 'native']],
    ['profile=native,%20native,&profile=native', ['native']],
  ])('%j: %j', (query, profiles) => {
    expect(parse(query)).toEqual(profiles);
  });

  it('says which profiles there are when another is asked for', () => {
    const fix = 'give dcgm, native, or platform, or several of them with commas between';
    expect(parse('profile=Native,dcgm&profile=x&profile=x')).toEqual({
      status: 400,
      title: 'Unknown profile',
      detail: `There is no profile "Native" or "x": ${fix}.`,
      errors: [
        { field: 'profile', problem: 'no profile is called "Native"', fix },
        { field: 'profile', problem: 'no profile is called "x"', fix },
      ],
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
