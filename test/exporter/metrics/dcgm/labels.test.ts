import { describe, expect, it } from 'vitest';
import { defaultSelection } from '../../../../exporter/metrics/catalog.ts';
import { type DcgmOptions, dcgmRows, labelsWith } from '../../../../exporter/metrics/dcgm/labels.ts';
import type { SelectedLabel } from '../../../../exporter/metrics/dcgm/selection.ts';
import type { Snapshot } from '../../../../exporter/snapshot.ts';
import { a100Mig } from '../hardware/a100-mig.ts';
import { l40s } from '../hardware/l40s.ts';
import { afterLoss, beforeLoss } from '../hardware/lost-gpu.ts';
import { presenceOf } from '../hardware/presence-of.ts';

const options: DcgmOptions = {
  hostname: 'node-7',
  hostnameLabel: 'Hostname',
  useOldNamespace: false,
  replaceBlanksInModelName: false,
};

const uuid = 'GPU-0d4b7a19-3c8b-41c6-9a44-6a7a18a3f5c2';

const identity = [
  ['gpu', '0'],
  ['UUID', uuid],
  ['pci_bus_id', '00000000:C1:00.0'],
  ['device', 'nvidia0'],
  ['modelName', 'NVIDIA L40S'],
];

/** The labels of the first row, in their order. */
function pairs(snapshot: Snapshot, changes: Partial<DcgmOptions> = {}, labels: readonly SelectedLabel[] = []) {
  return Object.entries(dcgmRows(snapshot, labels, { ...options, ...changes })[0]?.labels ?? {});
}

const label = (name: string, value: string | undefined): SelectedLabel => ({ name, get: () => value });

describe('dcgmRows', () => {
  it('labels a GPU as dcgm-exporter does, in its order', () => {
    expect(pairs(l40s, {}, defaultSelection.labels)).toEqual([
      ...identity,
      ['Hostname', 'node-7'],
      ['DCGM_FI_DRIVER_VERSION', '550.163.01'],
    ]);
  });

  it.each([
    { hostnameLabel: 'hostname', expected: [['hostname', 'node-7']] },
    {
      hostnameLabel: 'both',
      expected: [
        ['Hostname', 'node-7'],
        ['hostname', 'node-7'],
      ],
    },
    { hostnameLabel: 'none', expected: [] },
  ] as const)('spells the hostname label as told: $hostnameLabel', ({ hostnameLabel, expected }) => {
    expect(pairs(l40s, { hostnameLabel })).toEqual([...identity, ...expected]);
  });

  it('drops the hostname label where there is no hostname', () => {
    expect(pairs(l40s, { hostname: '', hostnameLabel: 'both' })).toEqual(identity);
  });

  it('writes uuid in the old namespace', () => {
    expect(pairs(l40s, { useOldNamespace: true })[1]).toEqual(['uuid', uuid]);
  });

  it('writes one hyphen for the blanks in a model name', () => {
    const [gpu] = l40s.gpus;
    if (gpu === undefined) throw new Error('there is a GPU');
    const snapshot = { ...l40s, gpus: [{ ...gpu, modelName: ' Tesla  V100 SXM2 ' }] };
    expect(pairs(snapshot, { replaceBlanksInModelName: true })[4]).toEqual(['modelName', 'Tesla-V100-SXM2']);
  });

  it('sorts text fields by name, and leaves out those the card cannot say', () => {
    const labels = [label('b', '2'), label('a', '1'), label('c', undefined), label('d', '')];
    expect(pairs(l40s, { hostnameLabel: 'none' }, labels)).toEqual([...identity, ['a', '1'], ['b', '2']]);
  });

  it('gives a row per set of attributes, sorted by name after the text fields', () => {
    const attributesOf = () => [{ hpc_job: '41', account: 'x' }, { hpc_job: '42' }];
    const rows = dcgmRows(l40s, [label('z', '1')], { ...options, hostnameLabel: 'none', attributesOf });
    expect(rows.map(({ labels }) => Object.entries(labels).slice(5))).toEqual([
      [
        ['z', '1'],
        ['account', 'x'],
        ['hpc_job', '41'],
      ],
      [
        ['z', '1'],
        ['hpc_job', '42'],
      ],
    ]);
  });

  it('keeps the row of a GPU without attributes', () => {
    expect(pairs(l40s, { hostnameLabel: 'none', attributesOf: () => [] })).toEqual(identity);
  });

  it('has one row per GPU instance in place of a divided GPU, under the name of the instance and not of its parts', () => {
    const rows = dcgmRows(a100Mig, [], options);
    expect(rows.map(({ labels }) => [labels.gpu, labels.GPU_I_PROFILE, labels.GPU_I_ID])).toEqual([
      ['0', '3g.40gb', '2'],
      ['0', '2g.20gb', '3'],
      ['1', undefined, undefined],
    ]);
    expect(Object.keys(rows[0]?.labels ?? {}).slice(4)).toEqual(['modelName', 'GPU_I_PROFILE', 'GPU_I_ID', 'Hostname']);
  });

  it('has the row of the GPU while MIG is on and nothing is created yet', () => {
    const [gpu] = a100Mig.gpus;
    if (gpu === undefined) throw new Error('there is a GPU');
    const rows = dcgmRows({ ...a100Mig, gpus: [{ ...gpu, migInstances: [] }] }, [], options);
    expect(rows.map(({ instance }) => instance)).toEqual([undefined]);
  });

  it('has the rows it is told to have', () => {
    const entitiesOf = (gpu: Snapshot['gpus'][number]) => (gpu.index === 1 ? [{ gpu, instance: undefined }] : []);
    expect(dcgmRows(a100Mig, [], { ...options, entitiesOf }).map(({ gpu }) => gpu.index)).toEqual([1]);
  });

  it('keeps a row for a GPU that is gone, with its last XID and no other reading', () => {
    const rows = dcgmRows(afterLoss, [], { ...options, presence: presenceOf(beforeLoss, afterLoss) });
    const gone = beforeLoss.gpus[1];
    expect(rows.map(({ gpu }) => gpu.uuid)).toEqual([beforeLoss.gpus[0]?.uuid, gone?.uuid]);
    expect(rows[1]?.gpu).toEqual({
      index: 1,
      uuid: gone?.uuid,
      pciBusId: '00000000:0F:00.0',
      modelName: gone?.modelName,
      serial: gone?.serial,
      lastXid: 79,
    });
  });
});

describe('labelsWith', () => {
  it('puts fields and attributes where dcgm-exporter has them', () => {
    const [row] = dcgmRows(l40s, [label('DCGM_FI_DRIVER_VERSION', '550')], {
      ...options,
      attributesOf: () => [{ hpc_job: '41' }],
    });
    if (row === undefined) throw new Error('there is a row');
    const labels = labelsWith(row, { fields: { window_size_in_ms: '1', xid: '79' }, attributes: { err_code: '79' } });
    expect(Object.keys(labels).slice(5)).toEqual([
      'Hostname',
      'DCGM_FI_DRIVER_VERSION',
      'window_size_in_ms',
      'xid',
      'err_code',
      'hpc_job',
    ]);
  });
});
