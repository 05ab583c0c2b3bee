import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { type Layout, layouts } from '../../../exporter/source/nvml/layouts.ts';
import { openNvml } from '../../../exporter/source/nvml/library.ts';
import { buildFakeNvml } from './fake-nvml.ts';

type CompiledLayouts = Readonly<Record<string, { size: number; fields: Readonly<Record<string, [number, number]>> }>>;

const bytes = { u8: 1, u32: 4, i32: 4, u64: 8, i64: 8, f64: 8, pointer: 8 };

/** The table in the shape that the C library reports: offset and size of each field. */
function sizesOf({ size, fields }: Layout, compiled: CompiledLayouts[string] | undefined) {
  const entries = Object.entries(fields).map(([name, { at, kind, length }]) => {
    if (kind === 'array') return [name, [at, compiled?.fields[name]?.[1]]];
    return [name, [at, kind === 'text' ? length : bytes[kind]]];
  });
  return { size, fields: Object.fromEntries(entries) };
}

describe('layouts', () => {
  it('have the sizes and offsets that a C compiler gives the structures', async (context) => {
    const { path } = await buildFakeNvml(context);
    const describeLayouts = koffi.load(path).func('fakeLayouts', 'str', []);
    const compiled = JSON.parse(describeLayouts()) as CompiledLayouts;
    const ours = Object.entries(layouts).map(([name, layout]) => [name, sizesOf(layout, compiled[name])]);
    expect(Object.fromEntries(ours)).toEqual(compiled);
  });
});

describe('openNvml', () => {
  it('says which library cannot be loaded, and why', () => {
    expect(() => openNvml('/nowhere/libnvidia-ml.so.1')).toThrow(
      /^The NVML library \/nowhere\/libnvidia-ml\.so\.1 cannot be loaded: .*No such file/,
    );
  });

  it('refuses a library that is not NVML', () => {
    expect(() => openNvml('libm.so.6')).toThrow('libm.so.6 is not a usable NVML library: it has no nvmlInit_v2,');
  });

  it('answers FUNCTION_NOT_FOUND for what an old driver does not have', async (context) => {
    const fake = await buildFakeNvml(context, { isOldDriver: true });
    fake.write(['set driver gpus 1']);
    const library = openNvml(fake.path);
    library.call('nvmlInit_v2');
    const device = library.call('nvmlDeviceGetHandleByIndex_v2', 0).value ?? 0n;
    expect(library.call('nvmlDeviceGetMemoryInfo_v2', device)).toEqual({ code: 13, value: undefined });
    expect(library.call('nvmlDeviceGetMemoryInfo', device)).toEqual({ code: 3, value: undefined });
  });
});

describe('events', () => {
  const xid = 8;

  it('come from a thread of their own, with the XID as a number and the device as a handle', async (context) => {
    const fake = await buildFakeNvml(context);
    const cards = ['set driver gpus 2', 'set * events 0x1f'];
    fake.write(cards);
    const library = openNvml(fake.path);
    library.call('nvmlInit_v2');
    const device = library.call('nvmlDeviceGetHandleByIndex_v2', 1).value ?? 0n;
    const set = library.call('nvmlEventSetCreate').value ?? 0n;
    expect(library.call('nvmlDeviceGetSupportedEventTypes', device)).toEqual({ code: 0, value: 0x1f });
    expect(library.call('nvmlDeviceRegisterEvents', device, xid, set).code).toBe(0);
    expect(await library.waitForEvent(set, 0)).toEqual({ code: 10, value: undefined });

    const waiting = library.waitForEvent(set, 5000);
    // The main thread goes on while the other one waits inside of the library.
    expect(library.call('nvmlDeviceGetCount_v2')).toEqual({ code: 0, value: 2 });
    fake.write([...cards, 'event 1 0 8 13', 'event 2 1 1 31', 'event 3 1 8 79']);
    expect(await waiting).toEqual({
      code: 0,
      value: { device, eventType: 8, eventData: 79, gpuInstanceId: 0xffffffff, computeInstanceId: 0xffffffff },
    });
    expect(await library.waitForEvent(set, 20)).toEqual({ code: 10, value: undefined });
    expect(library.call('nvmlEventSetFree', set).code).toBe(0);
  });
});
