import { describe, expect, it } from 'vitest';
import { uuidOf } from './cards.ts';
import { openSource } from './nvml-source.ts';

const identityOf = (index: number) => ({
  index,
  uuid: uuidOf(index),
  pciBusId: `00000000:0${index}:00.0`,
  modelName: 'NVIDIA L4',
});
const nameless = { index: 1, uuid: uuidOf(1), pciBusId: '', modelName: 'unknown' };

describe('a GPU that is out of order at the very first reading', () => {
  it.for([
    ['hangs', 'hang nvmlDeviceGetPowerUsage 1', 'wedged', identityOf(1)],
    ['is lost halfway', 'fail nvmlDeviceGetPowerUsage 1 15', 'gpu_is_lost', identityOf(1)],
    ['is lost before it says more than its UUID', 'fail nvmlDeviceGetPciInfo_v3 1 15', 'gpu_is_lost', nameless],
    ['hangs before it says more than its UUID', 'hang nvmlDeviceGetPciInfo_v3 1', 'wedged', nameless],
  ] as const)('and %s is known by what it has said', async ([_what, line, reason, identity], context) => {
    const { say, read } = await openSource(context, { gpus: 3, limits: { gpuMs: 1_000 } });
    say(line);
    const { gpus, health } = await read();
    expect(gpus.map(({ index }) => index)).toEqual([0, 2]);
    expect(health.failures).toEqual([{ uuid: uuidOf(1), reason, identity, message: expect.any(String) }]);
  });

  it('keeps the identity it had before it said less', async (context) => {
    const { say, read, processes } = await openSource(context, { gpus: 2 });
    await read();
    processes[0]?.kill('SIGKILL');
    say('fail nvmlDeviceGetPciInfo_v3 1 15');
    expect((await read()).health.failures).toMatchObject([{ reason: 'gpu_is_lost', identity: identityOf(1) }]);
  });
});
