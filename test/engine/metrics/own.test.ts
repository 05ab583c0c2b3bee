import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createOwnMetrics } from '../../../engine/metrics/own.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';

function page(): Promise<string> {
  const { registry } = createOwnMetrics({
    version: '0.1.0',
    gateStats: { answers: new Map([['envoy allow', 3]]) },
    history: { absurdValues: 2 },
    backlogTicks: () => 0,
    dataAgeSeconds: () => 7,
    isReady: () => true,
  });
  return registry.metrics();
}

describe('createOwnMetrics', () => {
  it('renders a page that promtool has nothing to say about', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: await page(),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
