import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../../engine/cli/main.ts';
import { card, driver, h200 } from '../../exporter/nvml/cards.ts';
import { buildFakeNvml } from '../../exporter/nvml/fake-nvml.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

async function run(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    env: { PATH: process.env.PATH },
    cwd: temporaryDirectory(),
  };
  const code = await main(['doctor', ...args], io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('gpu-uptime doctor', () => {
  it('shows what a GPU answers, call by call', async (context) => {
    const fake = await buildFakeNvml(context);
    fake.write([...driver(1), ...card(0, h200)]);
    const { out, err } = await run('--nvml-library', fake.path);
    expect(err).toBe('');
    expect(out).toContain('GPU-00000000-1111-2222-3333-444444444444');
    expect(out).toMatch(/nvmlDeviceGetPowerUsage .*412\.345/);
  });

  it('says what is missing, and exits with 1', async () => {
    const { code, out } = await run('--json', '--nvml-library', join(temporaryDirectory(), 'none.so'));
    expect(code).toBe(1);
    expect(JSON.parse(out).findings[0]).toMatchObject({ severity: 'problem' });
  });

  it('exits with 2 for a wrong command line', async () => {
    const { code, err } = await run('--jsn');
    expect([code, err]).toEqual([2, expect.stringContaining('usage: doctor [--json]')]);
  });
});
