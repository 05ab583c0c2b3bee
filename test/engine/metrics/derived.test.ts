import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderDerived } from '../../../engine/metrics/derived.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { capability, planOf, play, times } from '../core/fixtures.ts';

const GOLDEN = join(import.meta.dirname, 'golden/derived.prom');
const UP = { 'a/0': 'up', 'a/1': 'up', 'b"\\/0': 'up' } as const;

function render(gpus: Record<string, 'up' | 'hot'>) {
  const plan = planOf({ capabilities: [capability('default'), capability('text-to-image')] });
  const { state } = play(plan, [...times(24, UP), ...times(1, gpus)]);
  return [...renderDerived({ plan, state }, [], (state.tickMs ?? 0) + 3000)].join('');
}

describe('renderDerived', () => {
  it('equals the golden page: one hot GPU on node a, an odd node name, two capabilities', async () => {
    await expect(render({ ...UP, 'a/0': 'hot' })).toMatchFileSnapshot(GOLDEN);
  });

  it('gives promtool nothing to complain about', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: readFileSync(GOLDEN),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('renders the same lines in pieces for a fleet of thousands', () => {
    const gpus = Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`n${n % 150}/${n}`, 'up' as const]));
    const plan = planOf();
    const { state } = play(plan, times(3, gpus));
    const pieces = [...renderDerived({ plan, state }, [], state.tickMs ?? 0)];
    const ratios = pieces
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('gpu_uptime_ratio{'));
    expect(new Set(ratios).size).toBe(1200 * 3);
    expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThanOrEqual(500 * 4 + 1);
  });
});
