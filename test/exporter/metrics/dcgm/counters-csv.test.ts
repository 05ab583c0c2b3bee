import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelFields } from '../../../../exporter/metrics/catalog/label-fields.ts';
import { metricByDcgmName, metrics } from '../../../../exporter/metrics/catalog.ts';
import { maxCountersLength, parseCounters } from '../../../../exporter/metrics/dcgm/counters-csv.ts';
import { dcgmField } from '../../../../exporter/metrics/dcgm/field-names.ts';
import type { CounterSelection } from '../../../../exporter/metrics/dcgm/selection.ts';
import { a100Mig } from '../hardware/a100-mig.ts';

const fileUrl = (name: string) => new URL(`files/${name}`, import.meta.url);
const fileText = (name: string) => readFileSync(fileUrl(name), 'utf8');

function parse(text: string, file = 'counters.csv') {
  return parseCounters(text, file, metricByDcgmName);
}

/** The selection, with what its functions say about GPU 0 of a machine with MIG. */
function selected(text: string, file?: string) {
  const result = parse(text, file);
  if (result.kind === 'invalid') throw new Error(result.problems.join('\n'));
  return { ...described(result.selection), warnings: result.warnings };
}

function described({ counters, expressions, labels }: CounterSelection) {
  const [gpu] = a100Mig.gpus;
  if (gpu === undefined) throw new Error('the machine has no GPU');
  return {
    counters: counters.map(({ name, type, help, metric }) => [name, type, help, metric.dcgm?.field]),
    expressions: expressions.map(({ field, type, help }) => [field, type, help]),
    labels: labels.map(({ name, get }) => [name, get(gpu, a100Mig)]),
  };
}

function problemsOf(text: string): readonly string[] {
  const result = parse(text);
  return result.kind === 'invalid' ? result.problems : [];
}

const gpuTemp = 'DCGM_FI_DEV_GPU_TEMP, gauge, x\n';

describe('parseCounters', () => {
  it('takes a file as dcgm-exporter ships it', () => {
    expect(selected(fileText('as-shipped.csv'), 'as-shipped.csv')).toEqual({
      counters: [
        ['DCGM_FI_DEV_SM_CLOCK', 'gauge', 'SM clock (MHz).', 'DCGM_FI_DEV_SM_CLOCK'],
        ['DCGM_FI_DEV_MEM_CLOCK', 'gauge', 'Memory clock (MHz).', 'DCGM_FI_DEV_MEM_CLOCK'],
        ['DCGM_FI_DEV_GPU_UTIL', 'gauge', 'How busy the GPU is (%).', 'DCGM_FI_DEV_GPU_UTIL'],
        ['DCGM_FI_DEV_DEC_UTIL', 'gauge', 'How busy the decoder is (%).', 'DCGM_FI_DEV_DEC_UTIL'],
        ['DCGM_FI_DEV_XID_ERRORS', 'gauge', 'The last XID.', 'DCGM_FI_DEV_XID_ERRORS'],
        ['DCGM_FI_PROF_DRAM_ACTIVE', 'gauge', 'How busy the memory is (ratio).', 'DCGM_FI_PROF_DRAM_ACTIVE'],
        [
          'DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL',
          'counter',
          'All links, both ways, called "total".',
          'DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL',
        ],
      ],
      expressions: [
        ['DCGM_EXP_CLOCK_EVENTS_COUNT', 'counter', 'clock events'],
        ['DCGM_EXP_CLOCK_EVENTS_TOTAL', 'counter', 'clock events since the start'],
        ['DCGM_EXP_XID_ERRORS_COUNT', 'gauge', 'XIDs'],
        ['DCGM_EXP_XID_ERRORS_TOTAL', 'counter', 'XIDs since the start'],
      ],
      labels: [
        ['DCGM_FI_DRIVER_VERSION', '550.163.01'],
        ['DCGM_FI_DEV_SERIAL', '1320921000111'],
      ],
      warnings: [
        'as-shipped.csv:23: DCGM_EXP_GPU_HEALTH_STATUS is skipped: health watches are a service of DCGM, which is not used here.',
        'as-shipped.csv:24: DCGM_EXP_P2P_STATUS is skipped: DCGM finds out which GPUs reach each other over NVLink, and is not used here.',
        "as-shipped.csv:32: DCGM_FI_PROF_PIPE_INT_ACTIVE is skipped: only DCGM's profiling can measure it.",
        "as-shipped.csv:33: DCGM_FI_PROF_SM_CYCLES_ACTIVE_TOTAL is skipped: only DCGM's profiling can measure it.",
        'as-shipped.csv:36: DCGM_FI_DEV_NVLINK_BANDWIDTH_L0 is skipped: it is not among the readings of this exporter.',
      ],
    });
  });

  it('takes the names of 1.x, of repeated rows the first, and publishes under the names that are written', () => {
    expect(selected(fileText('from-1.x.csv'), 'from-1.x.csv')).toEqual({
      counters: [
        ['dcgm_sm_clock', 'gauge', 'SM clock', 'DCGM_FI_DEV_SM_CLOCK'],
        ['dcgm_gpu_temp', 'gauge', 'Temperature', 'DCGM_FI_DEV_GPU_TEMP'],
        ['dcgm_total_energy_consumption', 'counter', 'Energy', 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION'],
        ['dcgm_fi_prof_pcie_tx_bytes', 'counter', 'Sent through PCIe via NVML', 'DCGM_FI_PROF_PCIE_TX_BYTES'],
        ['dcgm_fi_prof_pcie_rx_bytes', 'counter', 'Received through PCIe via NVML', 'DCGM_FI_PROF_PCIE_RX_BYTES'],
        ['dcgm_xid_errors', 'gauge', 'Last XID', 'DCGM_FI_DEV_XID_ERRORS'],
      ],
      expressions: [],
      labels: [],
      warnings: [
        'from-1.x.csv:8: DCGM_FI_DEV_GPU_UTIL_SAMPLES is skipped: DCGM has no such field any more.',
        'from-1.x.csv:10: dcgm_fi_prof_pcie_tx_bytes is in line 6 already, which counts.',
        'from-1.x.csv:11: dcgm_fi_prof_pcie_rx_bytes is in line 7 already, which counts.',
        'from-1.x.csv:12: DCGM_FI_DEV_GPU_TEMP is the field of line 4, dcgm_gpu_temp: it is published as that.',
      ],
    });
  });

  it('takes the names of DCGM 4.6, untyped, empty helps, and numbers as labels', () => {
    expect(selected(fileText('from-4.6.csv'))).toEqual({
      counters: [
        ['DCGM_FI_DEV_GPU_TEMP_CELSIUS', 'gauge', 'Temperature', 'DCGM_FI_DEV_GPU_TEMP'],
        ['DCGM_FI_DEV_BOARD_POWER_WATTS', 'untyped', 'Power', 'DCGM_FI_DEV_POWER_USAGE'],
        ['DCGM_FI_DEV_XID_ERROR', 'gauge', 'Last XID', 'DCGM_FI_DEV_XID_ERRORS'],
        ['DCGM_FI_DEV_PCIE_REPLAY_TOTAL', 'counter', '', 'DCGM_FI_DEV_PCIE_REPLAY_COUNTER'],
        ['DCGM_FI_PROF_TENSOR_UTIL_RATIO', 'gauge', 'Tensor cores', 'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE'],
      ],
      expressions: [],
      labels: [
        ['DCGM_FI_SYSTEM_DRIVER_VERSION', '550.163.01'],
        ['DCGM_FI_DEV_GPU_MINOR_NUMBER', '0'],
        ['DCGM_FI_DEV_ECC_CURRENT', '1'],
      ],
      warnings: [],
    });
  });

  it('takes every name that DCGM has for a field of the catalog', () => {
    const spellings = metrics.flatMap((metric) =>
      (dcgmField(metric.dcgm?.field ?? '')?.names ?? []).map((name) => ({ name, metric })),
    );
    expect(spellings.length).toBeGreaterThan(150);
    for (const { name, metric } of spellings)
      expect(parse(`${name}, gauge, x\n`)).toEqual({
        kind: 'selection',
        selection: { counters: [{ name, type: 'gauge', help: 'x', metric }], expressions: [], labels: [] },
        warnings: [],
      });
  });

  it('shows all that is wrong with a file at once, each with its line, a caret and what to do', async () => {
    const golden = new URL('files/mistakes.txt', import.meta.url).pathname;
    const text = fileText('mistakes.csv').replace('␀', '\0');
    await expect(`${problemsOf(text).join('\n')}\n`).toMatchFileSnapshot(golden);
  });

  it('trims spaces but no tabs', () => {
    for (const row of [
      '\tDCGM_FI_DEV_GPU_TEMP,gauge,',
      'DCGM_FI_DEV_GPU_TEMP\t,gauge,',
      'DCGM_FI_DEV_GPU_TEMP,\tgauge,',
    ])
      expect(problemsOf(row)).toHaveLength(1);
    expect(selected('  DCGM_FI_DEV_GPU_TEMP  ,  gauge  ,  \tx\t  ').counters[0]?.[2]).toBe('\tx\t');
  });

  it('shows twenty mistakes, and how many more there are', () => {
    const problems = problemsOf('no_such_field, gauge, x\n'.repeat(10_000));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('counters.csv: and 9980 more like these.');
  });

  it('reads the same with Windows line ends, a byte order mark, or no end of the last line', () => {
    const unix = selected(fileText('from-4.6.csv'));
    expect(selected(fileText('from-4.6.csv').replaceAll('\n', '\r\n'))).toEqual(unix);
    expect(selected(`\uFEFF${fileText('from-4.6.csv')}`)).toEqual(unix);
    expect(selected(fileText('from-4.6.csv').trimEnd())).toEqual(unix);
  });

  it('warns of a file that selects nothing', () => {
    const nothing = 'counters.csv: no counter is selected, so none is published.';
    expect(selected('')).toEqual({ counters: [], expressions: [], labels: [], warnings: [nothing] });
    expect(selected('# DCGM_FI_DEV_GPU_TEMP, gauge, x\n').warnings).toEqual([nothing]);
  });

  it('refuses a file of a megabyte, and one in UTF-16, with one sentence', () => {
    expect(problemsOf(gpuTemp.repeat(40_000))).toEqual([
      `counters.csv: this has 1240000 characters, more than the ${maxCountersLength} that are read: is it a counters file?`,
    ]);
    const utf16 = Buffer.from(`\uFEFF${gpuTemp}`, 'utf16le').toString('utf8');
    expect(problemsOf(utf16)).toEqual(['counters.csv: this looks like UTF-16: save it as UTF-8.']);
  });

  it('takes text that is not UTF-8, with a warning where it is published', () => {
    const latin1 = Buffer.from('# °C\nDCGM_FI_DEV_GPU_TEMP, gauge, in °C\n', 'latin1').toString('utf8');
    expect(selected(latin1)).toEqual({
      counters: [['DCGM_FI_DEV_GPU_TEMP', 'gauge', 'in \uFFFDC', 'DCGM_FI_DEV_GPU_TEMP']],
      expressions: [],
      labels: [],
      warnings: ['counters.csv:2: what is not UTF-8 in this line is published as \uFFFD: save the file as UTF-8.'],
    });
  });

  it('is not slowed down by a field of a million characters', () => {
    const spaces = ' '.repeat(maxCountersLength - 100);
    expect(problemsOf(`a${spaces}b, gauge, x\n`)).toHaveLength(1);
    expect(selected(`DCGM_FI_DEV_GPU_TEMP, gauge,${spaces}x\n`).counters).toEqual([
      ['DCGM_FI_DEV_GPU_TEMP', 'gauge', 'x', 'DCGM_FI_DEV_GPU_TEMP'],
    ]);
  });

  it('knows no field by the name of a property that every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(problemsOf(`${name}, gauge, x\n`)[0]).toContain(`"${name}" is not a field of DCGM.`);
  });
});

describe('parseCounters, whatever the file', () => {
  it('never throws', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('utf8'));
    const pieces = fc.array(
      fc.constantFrom(
        'DCGM_FI_DEV_GPU_TEMP',
        'DCGM_EXP_XID_ERRORS_COUNT',
        ',',
        ',',
        ' gauge',
        'label',
        '"',
        '\n',
        '#',
        '\t',
        '\0',
      ),
      { maxLength: 40 },
    );
    const text = fc.oneof(
      bytes,
      fc.string({ unit: 'binary' }),
      pieces.map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const result = parse(candidate);
        const reasons = result.kind === 'invalid' ? result.problems : result.warnings;
        expect(reasons.every((reason) => reason.startsWith('counters.csv:'))).toBe(true);
        if (result.kind === 'invalid') expect(reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  const fieldNames = metrics.flatMap(({ dcgm }) => (dcgm === undefined ? [] : [dcgm.field]));
  const rowOf = (names: readonly string[], types: readonly string[]) =>
    fc.record({
      name: fc.constantFrom(...names),
      type: fc.constantFrom(...types),
      help: fc.string({ unit: fc.constantFrom('a', 'é', ' ', ',', '"', '#', '\n', '\\', '0') }).map(trimSpaces),
    });
  const rows = fc.uniqueArray(
    fc.oneof(
      rowOf(fieldNames, ['gauge', 'counter', 'untyped', 'label']),
      rowOf(
        labelFields.map(({ field }) => field),
        ['label'],
      ),
    ),
    { selector: ({ name }) => name, maxLength: 12 },
  );
  const space = fc.constantFrom('', ' ', '   ');
  const between = fc.constantFrom('', '\n', '# a "comment", of\n', '\r\n#\r\n');
  const style = fc.infiniteStream(fc.tuple(space, space, between, fc.boolean()));

  it('gives back what was written, however it is spaced, quoted and commented', () => {
    fc.assert(
      fc.property(rows, style, (wanted, styles) => {
        const text = wanted.map((row) => written(row, styles.next().value)).join('');
        const { counters, labels } = selected(text);
        const numbers = wanted.filter(({ type }) => type !== 'label');
        expect(counters.map((counter) => counter.slice(0, 3))).toEqual(
          numbers.map(({ name, type, help }) => [name, type, help]),
        );
        expect(labels.map(([name]) => name)).toEqual(
          wanted.filter(({ type }) => type === 'label').map(({ name }) => name),
        );
      }),
    );
  });

  type Style = readonly [before: string, after: string, between: string, isQuoted: boolean];

  function written(
    row: { readonly name: string; readonly type: string; readonly help: string },
    [before, after, comment, isQuoted]: Style,
  ): string {
    const cell = (text: string) =>
      isQuoted || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : `${before}${text}${after}`;
    return `${comment}${isQuoted ? cell(row.name) : `${row.name}${after}`},${cell(row.type)},${cell(row.help)}\n`;
  }

  function trimSpaces(text: string): string {
    return text.replace(/^ +/, '').replace(/ +$/, '');
  }
});
