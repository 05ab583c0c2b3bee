import { describe, expect, it } from 'vitest';
import { xidSeverity } from '../../../exporter/gpud/xid-severity.ts';

const all = Array.from({ length: 173 }, (_, nth) => nth + 1);
const codesOf = (type: string) => all.filter((code) => xidSeverity(code).type === type);

describe('xidSeverity', () => {
  it.each([
    [13, 'Warning', ['CHECK_USER_APP_AND_GPU']],
    [31, 'Warning', ['CHECK_USER_APP_AND_GPU', 'HARDWARE_INSPECTION']],
    [43, 'Warning', ['CHECK_USER_APP_AND_GPU']],
    [45, 'Warning', ['IGNORE_NO_ACTION_REQUIRED']],
    [48, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [63, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [74, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [78, 'Fatal', ['REBOOT_SYSTEM']],
    [79, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [81, 'Fatal', ['HARDWARE_INSPECTION']],
    [92, 'Warning', ['IGNORE_NO_ACTION_REQUIRED']],
    [94, 'Fatal', ['REBOOT_SYSTEM', 'IGNORE_NO_ACTION_REQUIRED']],
    [95, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [119, 'Fatal', ['REBOOT_SYSTEM', 'HARDWARE_INSPECTION']],
    [143, 'Fatal', ['HARDWARE_INSPECTION']],
    [149, 'Warning', ['REBOOT_SYSTEM']],
    [154, 'Warning', []],
    [162, 'Info', []],
    [170, 'Warning', ['CHECK_USER_APP_AND_GPU']],
    [0, 'Unknown', []],
    [133, 'Unknown', []],
    [174, 'Unknown', []],
    [999, 'Unknown', []],
  ])('rates XID %i as GPUd does', (code, type, actions) => {
    expect(xidSeverity(code)).toEqual({ type, actions });
  });

  it('rates every code of the catalogue, none of them twice', () => {
    expect(codesOf('Fatal')).toHaveLength(43);
    expect(codesOf('Info')).toEqual([152, 153, 157, 161, 162, 164, 165]);
    expect(codesOf('Unknown')).toEqual([133]);
    expect(codesOf('Warning')).toHaveLength(173 - 43 - 7 - 1);
  });
});
