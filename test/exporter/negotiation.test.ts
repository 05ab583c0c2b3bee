import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptsGzip, type Format, negotiateFormat, patienceMs } from '../../exporter/metrics/negotiation.ts';

const prometheus242 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const openMetrics = 'application/openmetrics-text';

describe('negotiateFormat', () => {
  it.each<{ who: string; accept: string | undefined; native: Format; dcgm: Format }>([
    { who: 'nobody', accept: undefined, native: 'text', dcgm: 'text' },
    { who: 'an empty header', accept: '', native: 'text', dcgm: 'text' },
    { who: 'curl', accept: '*/*', native: 'text', dcgm: 'text' },
    { who: 'a browser', accept: browser, native: 'text', dcgm: 'text' },
    { who: 'Prometheus 2.42', accept: prometheus242, native: 'openmetrics', dcgm: 'text' },
    { who: 'Prometheus 3', accept: prometheus3, native: 'openmetrics', dcgm: 'text' },
    { who: 'one that takes OpenMetrics only', accept: openMetrics, native: 'openmetrics', dcgm: 'openmetrics' },
    {
      who: 'one that refuses text',
      accept: `${openMetrics};q=0.1, text/plain;q=0, */*`,
      native: 'openmetrics',
      dcgm: 'openmetrics',
    },
    { who: 'one that refuses OpenMetrics', accept: `${openMetrics};q=0, */*`, native: 'text', dcgm: 'text' },
    { who: 'both alike', accept: `text/plain, ${openMetrics}`, native: 'openmetrics', dcgm: 'text' },
    { who: 'one that likes text more', accept: `text/plain;q=0.9,${openMetrics};q=0.8`, native: 'text', dcgm: 'text' },
    { who: 'a draft of OpenMetrics', accept: `${openMetrics};version=0.0.1`, native: 'text', dcgm: 'text' },
    {
      who: 'quotes, blanks and capitals',
      accept: `Application/OpenMetrics-Text ; Version="1.0.0" ; Q=1.0 , text/plain;q=0.5`,
      native: 'openmetrics',
      dcgm: 'text',
    },
    {
      who: 'the version that is more specific than none',
      accept: `${openMetrics};q=0.1,${openMetrics};version=1.0.0;q=0.9,text/plain;q=0.5`,
      native: 'openmetrics',
      dcgm: 'text',
    },
    {
      who: 'a comma inside quotes',
      accept: `text/plain;x="a,${openMetrics}"`,
      native: 'text',
      dcgm: 'text',
    },
    { who: 'a weight that is no number', accept: `${openMetrics};q=high`, native: 'text', dcgm: 'text' },
    { who: 'neither format', accept: 'application/json', native: 'text', dcgm: 'text' },
    { who: 'refusal of everything', accept: '*/*;q=0', native: 'text', dcgm: 'text' },
  ])('$who: $native, and $dcgm for names of dcgm-exporter', ({ accept, native, dcgm }) => {
    expect(negotiateFormat(accept, 'openmetrics')).toBe(native);
    expect(negotiateFormat(accept, 'text')).toBe(dcgm);
  });

  it('takes any header for an answer', () => {
    const noise = fc.array(
      fc.constantFrom(openMetrics, 'text/plain', ';', ',', 'q=', '"', '\\', ' ', '1.0', 'version'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          noise.map((parts) => parts.join('')),
        ),
        (accept) => {
          expect(['text', 'openmetrics']).toContain(negotiateFormat(accept, 'openmetrics'));
          expect(typeof acceptsGzip(accept)).toBe('boolean');
        },
      ),
    );
  });
});

describe('acceptsGzip', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['identity', false],
    ['gzip', true],
    ['deflate, GZIP;q=0.5', true],
    ['gzip;q=1.0', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000', false],
    ['*', true],
    ['*;q=0', false],
    ['gzip;q=0, *', false],
    ['xgzip', false],
  ])('%s: %s', (header, isAccepted) => {
    expect(acceptsGzip(header)).toBe(isAccepted);
  });
});

describe('patienceMs', () => {
  it.each([
    { header: '1', ms: 500, why: 'what the timeout leaves' },
    { header: '2.5', ms: 2000, why: 'what the timeout leaves' },
    { header: '0.3', ms: 150, why: 'half of a short timeout' },
    { header: '10', ms: 5000, why: 'the cap' },
    { header: '1e9', ms: 5000, why: 'the cap' },
    { header: undefined, ms: 1000, why: 'nothing was said' },
    { header: '', ms: 1000, why: 'nothing was said' },
    { header: 'soon', ms: 1000, why: 'it is no number' },
    { header: '-1', ms: 1000, why: 'it is no time' },
    { header: 'Infinity', ms: 5000, why: 'the cap' },
    { header: ['1', '2'], ms: 1000, why: 'two were given' },
  ])('of $header is $ms ms: $why', ({ header, ms }) => {
    expect(patienceMs(header)).toBe(ms);
  });
});
