import type { GpuSample, Snapshot } from '../../../../exporter/snapshot.ts';

const startMs = 1_767_225_590_000;

function a100(index: number): GpuSample {
  return {
    index,
    uuid: `GPU-c0ffee00-0000-4000-8000-00000000000${index}`,
    pciBusId: `00000000:${index === 0 ? '07' : '0F'}:00.0`,
    modelName: 'NVIDIA A100-SXM4-80GB',
    serial: `132092100020${index}`,
    gpuTemperatureCelsius: 41,
    powerWatts: 92.5,
    gpuUtilPercent: 35,
    framebufferTotalMib: 81_920,
    framebufferFreeMib: 61_000,
    framebufferUsedMib: 20_220,
    framebufferReservedMib: 700,
    eccSbeVolatile: 0,
    eccDbeVolatile: 0,
    lastXid: 0,
  };
}

const node = { driverVersion: '570.86.15', nvmlVersion: '12.570.86.15', counterEpoch: 'boot-4' };

/** Two healthy cards, ten seconds before the loss. */
export const beforeLoss: Snapshot = {
  ...node,
  takenAtMs: startMs,
  gpus: [a100(0), a100(1)],
  health: { failures: [] },
};

/** GPU 1 has fallen off the bus, with XID 79. */
export const afterLoss: Snapshot = {
  ...node,
  takenAtMs: startMs + 10_000,
  gpus: [a100(0)],
  health: {
    failures: [{ uuid: a100(1).uuid, reason: 'gpu_is_lost', message: 'GPU 1 has fallen off the bus' }],
  },
  xids: [{ atMs: startMs + 4_000, uuid: a100(1).uuid, code: 79 }],
};

/** Ten seconds later nothing has changed. */
export const stillLost: Snapshot = { ...afterLoss, takenAtMs: startMs + 20_000, xids: [] };
