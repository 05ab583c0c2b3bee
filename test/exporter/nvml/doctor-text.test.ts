import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { DoctorReport } from '../../../exporter/source/nvml/doctor.ts';
import { examine, exitCodeOf, renderDoctor } from '../../../exporter/source/nvml/doctor-text.ts';
import { type Environment, inspectEnvironment } from '../../../exporter/source/nvml/environment.ts';
import { openNvml } from '../../../exporter/source/nvml/library.ts';
import { inspectSupport } from '../../../exporter/source/nvml/support.ts';
import { card, driver, h200, plainCard, uuidOf } from './cards.ts';
import { buildFakeNvml } from './fake-nvml.ts';
import { buildMachine, gpuMachine, type MachineFiles } from './machine.ts';

const golden = (name: string) => join(import.meta.dirname, 'golden', `doctor-${name}.txt`);

/** The environment of a machine, without the place of its temporary directory. */
async function environmentOf(context: TestContext, files: MachineFiles): Promise<Environment> {
  const root = await buildMachine(context, files);
  const environment = inspectEnvironment({ library: undefined, uid: 1000, root });
  const file = environment.library.file?.slice(root.length);
  return { ...environment, library: { ...environment.library, file } };
}

async function supportOf(context: TestContext, lines: readonly string[]): Promise<DoctorReport> {
  const fake = await buildFakeNvml(context);
  fake.write(lines);
  const support = inspectSupport(openNvml(fake.path), () => undefined);
  return { kind: 'support', support: { ...support, library: 'libnvidia-ml.so.1' } };
}

const healthy = { 'remapped.pending': 0, 'field.230': '1:0', events: 0x1f };

describe('renderDoctor', () => {
  it('has little to say about a machine in order', async (context) => {
    const cards = [
      ...driver(2),
      ...card(0, { ...h200, ...healthy }),
      ...card(1, { ...h200, ...healthy, uuid: uuidOf(1) }),
    ];
    const examination = examine(await environmentOf(context, gpuMachine), await supportOf(context, cards));
    await expect(renderDoctor(examination)).toMatchFileSnapshot(golden('healthy'));
    expect(exitCodeOf(examination)).toBe(0);
  });

  it('names every problem of a machine that has many', async (context) => {
    const cards = [
      ...driver(3),
      ...card(0, { ...h200, persistence: 0, 'fabric.state': 1 }),
      ...plainCard(1, {
        mig: 1,
        migPending: 1,
        persistence: 0,
        events: 0x17,
        'field.230': '1:2',
        'field.82': '1:0',
        fan: '!999',
      }),
      ...plainCard(2),
      'fail nvmlDeviceGetHandleByIndex_v2 2 15',
      'fail nvmlDeviceGetSerial 1 4',
      'fail nvmlGpmSampleGet 0 4',
    ];
    const machine = {
      ...gpuMachine,
      files: { ...gpuMachine.files, '.dockerenv': '', ...onBus('0000:a1:00.0'), ...onBus('0000:c1:00.0') },
    };
    const examination = examine(await environmentOf(context, machine), await supportOf(context, cards));
    await expect(renderDoctor(examination)).toMatchFileSnapshot(golden('problems'));
    expect(exitCodeOf(examination)).toBe(1);
  });

  it('explains a machine without a driver', async (context) => {
    const report = { kind: 'unavailable', reason: 'library_not_found', message: loadError() } as const;
    const examination = examine(await environmentOf(context, { files: onBus('0000:1b:00.0') }), report);
    await expect(renderDoctor(examination)).toMatchFileSnapshot(golden('no-driver'));
  });

  it('explains a container without GPUs', async (context) => {
    const report = { kind: 'unavailable', reason: 'library_not_found', message: loadError() } as const;
    const files = {
      '.dockerenv': '',
      'proc/driver/nvidia/version': gpuMachine.files?.['proc/driver/nvidia/version'] ?? '',
    };
    const examination = examine(await environmentOf(context, { files }), report);
    await expect(renderDoctor(examination)).toMatchFileSnapshot(golden('container'));
  });

  it('tells both versions of a driver that was updated under its users', async (context) => {
    const report = await supportOf(context, [...driver(1), 'fail nvmlInit_v2 driver 18']);
    const files = { ...gpuMachine.files, 'proc/driver/nvidia/version': 'Kernel Module  565.57.01' };
    const examination = examine(await environmentOf(context, { ...gpuMachine, files }), report);
    await expect(renderDoctor(examination)).toMatchFileSnapshot(golden('mismatch'));
  });

  it.for([
    ['wedged', `GPU ${uuidOf(1)} did not answer within 10 s (support).`, ''],
    ['crashed', 'The driver process was ended by SIGSEGV.', ` It was touching ${uuidOf(1)} (support).`],
  ] as const)('says where a driver has %s', async ([kind, message, where], context) => {
    const report = { kind, touching: { gpu: uuidOf(1), step: 'support' }, message };
    const { findings } = examine(await environmentOf(context, gpuMachine), report);
    const text = `${message}${where} Look into dmesg for messages of the driver (NVRM).`;
    expect(findings).toEqual([{ severity: 'problem', text }]);
  });
});

describe('inspectSupport', () => {
  it('passes between processes without loss, and gives the library back', async (context) => {
    const fake = await buildFakeNvml(context);
    fake.write([...driver(1), ...card(0, h200), fake.logLine]);
    const support = inspectSupport(openNvml(fake.path), () => undefined);
    expect(JSON.parse(JSON.stringify(support))).toEqual(support);
    expect((await fake.calls()).at(-1)).toBe('nvmlShutdown driver');
  });

  it('says what it touches', async (context) => {
    const fake = await buildFakeNvml(context);
    fake.write([...driver(1), ...plainCard(0)]);
    const steps: string[] = [];
    inspectSupport(openNvml(fake.path), (gpu, step) => steps.push(`${gpu} ${step}`));
    expect(steps).toEqual(['undefined nvmlInit_v2', 'index:0 enumeration', `${uuidOf(0)} support`]);
  });
});

function onBus(address: string): Readonly<Record<string, string>> {
  const device = `sys/bus/pci/devices/${address}`;
  return { [`${device}/vendor`]: '0x10de\n', [`${device}/class`]: '0x030200\n' };
}

function loadError(): string {
  return 'The NVML library libnvidia-ml.so.1 cannot be loaded: libnvidia-ml.so.1: cannot open shared object file: No such file or directory. It was looked for along LD_LIBRARY_PATH: install the NVIDIA driver, or give a container access to it.';
}
