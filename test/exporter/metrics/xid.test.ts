import { describe, expect, it } from 'vitest';
import { xidText } from '../../../exporter/metrics/xid.ts';

describe('xidText', () => {
  it.each([
    [0, 'No Error'],
    [13, 'Graphics Engine Exception'],
    [31, 'GPU memory page fault'],
    [45, 'Preemptive cleanup, due to previous errors -- Most likely to see when running multiple cuda'],
    [48, 'Double Bit ECC Error'],
    [63, 'ECC page retirement or row remapping recording event'],
    [64, 'ECC page retirement or row remapper recording failure'],
    [74, 'NVLINK Error'],
    [79, 'GPU has fallen off the bus'],
    [94, 'Contained ECC error'],
    [95, 'Uncontained ECC error'],
    [119, 'GSP RPC Timeout'],
    [143, 'GPU Initialization Failure'],
    [149, 'NVLINK: NETIR Error'],
    [154, 'GPU Recovery Action Changed'],
    [172, 'Uncorrectable SRAM Error'],
  ])('says of %i what dcgm-exporter says', (code, text) => {
    expect(xidText(code)).toBe(text);
  });

  it('has a text for every code up to 172, and for no other', () => {
    const codes = Array.from({ length: 1000 }, (_, code) => code);
    expect(codes.filter((code) => xidText(code) !== 'Unknown Error')).toEqual(codes.slice(0, 173));
    expect([-1, 1.5, Number.NaN, 2 ** 32].map(xidText)).toEqual(Array(4).fill('Unknown Error'));
  });
});
