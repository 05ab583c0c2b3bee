/** Components that pass on what sensors say: temperature, power, clocks, utilization, memory, persistence mode, processes. */

import type { GpuProcess, GpuSample, Snapshot } from '../snapshot.ts';
import { memoryText, percentText } from './amounts.ts';
import { type Component, entryOf, healthyUnless, someGives, type Verdict } from './reading.ts';

const mebibyte = 1024 * 1024;

export const sensorComponents: readonly Component[] = [
  {
    name: 'accelerator-nvidia-clock-speed',
    isSupported: someGives('graphicsClockMhz', 'memoryClockMhz'),
    judge: passedOn('clock_speeds', clockSpeed),
  },
  {
    name: 'accelerator-nvidia-memory',
    isSupported: someGives('framebufferTotalMib'),
    judge: passedOn('memories', memory),
  },
  {
    name: 'accelerator-nvidia-persistence-mode',
    isSupported: someGives('persistenceMode'),
    judge: judgePersistenceMode,
  },
  {
    name: 'accelerator-nvidia-power',
    isSupported: someGives('powerWatts'),
    judge: passedOn('powers', power),
  },
  {
    name: 'accelerator-nvidia-processes',
    isSupported: someGives('processes'),
    judge: passedOn('processes', processes),
  },
  {
    name: 'accelerator-nvidia-temperature',
    isSupported: someGives('gpuTemperatureCelsius'),
    judge: judgeTemperature,
  },
  {
    name: 'accelerator-nvidia-utilization',
    isSupported: someGives('gpuUtilPercent'),
    judge: passedOn('utilizations', utilization),
  },
];

// GPUd does not judge these readings either: what is too much depends on the work.
function passedOn(key: string, entry: (gpu: GpuSample) => object): (snapshot: Snapshot) => Verdict {
  return ({ gpus }) => ({ health: 'Healthy', reason: checkedText(gpus), data: { [key]: gpus.map(entry) } });
}

function checkedText({ length }: readonly GpuSample[]): string {
  return `${length === 1 ? '1 GPU was' : `${length} GPUs were`} checked and nothing is wrong`;
}

function clockSpeed(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    graphics_mhz: gpu.graphicsClockMhz,
    memory_mhz: gpu.memoryClockMhz,
    clock_graphics_supported: gpu.graphicsClockMhz !== undefined,
    clock_memory_supported: gpu.memoryClockMhz !== undefined,
  };
}

function memory(gpu: GpuSample) {
  const { framebufferTotalMib: total, framebufferReservedMib: reserved } = gpu;
  const { framebufferUsedMib: used, framebufferFreeMib: free } = gpu;
  return {
    ...entryOf(gpu),
    total_bytes: bytes(total),
    total_humanized: memoryText(total),
    reserved_bytes: bytes(reserved),
    reserved_humanized: memoryText(reserved),
    used_bytes: bytes(used),
    used_humanized: memoryText(used),
    free_bytes: bytes(free),
    free_humanized: memoryText(free),
    used_percent: percentText(used, total),
    supported: total !== undefined,
  };
}

function bytes(mib: number | undefined): number | undefined {
  return mib === undefined ? undefined : mib * mebibyte;
}

function power(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    usage_milli_watts: milliwatts(gpu.powerWatts),
    enforced_limit_milli_watts: milliwatts(gpu.enforcedPowerLimitWatts),
    management_limit_milli_watts: milliwatts(gpu.powerLimitWatts),
    used_percent: percentText(gpu.powerWatts, gpu.enforcedPowerLimitWatts),
    get_power_usage_supported: gpu.powerWatts !== undefined,
    get_power_limit_supported: gpu.enforcedPowerLimitWatts !== undefined,
    get_power_management_limit_supported: gpu.powerLimitWatts !== undefined,
  };
}

function milliwatts(watts: number | undefined): number | undefined {
  return watts === undefined ? undefined : Math.round(watts * 1000);
}

function utilization(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    gpu_used_percent: gpu.gpuUtilPercent,
    memory_used_percent: gpu.memoryCopyUtilPercent,
    supported: gpu.gpuUtilPercent !== undefined,
  };
}

function processes(gpu: GpuSample) {
  return {
    ...entryOf(gpu),
    running_processes: (gpu.processes ?? []).map(runningProcess),
    get_compute_running_processes_supported: gpu.processes !== undefined,
    get_process_utilization_supported: false,
  };
}

function runningProcess({ pid, name, usedMemoryMib }: GpuProcess) {
  return {
    pid,
    cmd_args: [name],
    gpu_used_memory_bytes: bytes(usedMemoryMib),
    gpu_used_memory_bytes_humanized: memoryText(usedMemoryMib),
  };
}

function judgePersistenceMode({ gpus }: Snapshot): Verdict {
  const issues = gpus
    .filter(({ persistenceMode }) => persistenceMode === 0)
    .map(({ uuid }) => `${uuid} has persistence mode off`);
  const entries = gpus.map((gpu) => ({
    ...entryOf(gpu),
    enabled: gpu.persistenceMode === 1,
    supported: gpu.persistenceMode !== undefined,
  }));
  return healthyUnless(
    issues,
    { health: 'Unhealthy' },
    { reason: checkedText(gpus), data: { persistence_modes: entries } },
  );
}

function judgeTemperature({ gpus }: Snapshot): Verdict {
  const data = { temperatures: gpus.map(temperature) };
  return healthyUnless(gpus.flatMap(overheating), { health: 'Degraded' }, { reason: checkedText(gpus), data });
}

// Where the board does not say what is too hot for its GPU, the driver's slowdown begins there.
function overheating({ uuid, ...gpu }: GpuSample): readonly string[] {
  const limit = gpu.maxGpuTemperatureCelsius ?? gpu.slowdownTemperatureCelsius;
  return [
    tooHot(`${uuid} is at`, gpu.gpuTemperatureCelsius, limit),
    tooHot(`the memory of ${uuid} is at`, gpu.memoryTemperatureCelsius, gpu.maxMemoryTemperatureCelsius),
  ].filter((issue) => issue !== undefined);
}

function tooHot(subject: string, celsius: number | undefined, limit: number | undefined): string | undefined {
  if (celsius === undefined || limit === undefined || celsius <= limit) return undefined;
  return `${subject} ${celsius} °C, above its limit of ${limit} °C`;
}

function temperature(gpu: GpuSample) {
  const { gpuTemperatureCelsius: core, memoryTemperatureCelsius: hbm } = gpu;
  return {
    ...entryOf(gpu),
    current_celsius_gpu_core: core,
    current_celsius_hbm: hbm,
    hbm_temperature_supported: hbm !== undefined,
    margin_temperature_supported: false,
    threshold_celsius_shutdown: gpu.shutdownTemperatureCelsius,
    threshold_celsius_slowdown: gpu.slowdownTemperatureCelsius,
    threshold_celsius_mem_max: gpu.maxMemoryTemperatureCelsius,
    threshold_celsius_gpu_max: gpu.maxGpuTemperatureCelsius,
    used_percent_shutdown: percentText(core, gpu.shutdownTemperatureCelsius),
    used_percent_slowdown: percentText(core, gpu.slowdownTemperatureCelsius),
    used_percent_mem_max: percentText(hbm, gpu.maxMemoryTemperatureCelsius),
    used_percent_gpu_max: percentText(core, gpu.maxGpuTemperatureCelsius),
  };
}
