import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentAnswer } from '../../../engine/core/ping/outcome.ts';
import { systemLookUp } from '../../../engine/ping/system-lookup.ts';
import { startExporter } from '../../servers/exporter.ts';
import type { RunningServer } from '../../servers/server.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { type Ask, ask, atEnd } from './asking.ts';

async function startAgent(): Promise<RunningServer> {
  const exporter = await startExporter({
    env: {
      AGENT_MODE: 'true',
      AGENT_ID: 'agent-001',
      AGENT_GPU_CHECK_INTERVAL_SECONDS: '1',
      AGENT_CHECKPOINT_FILE: join(temporaryDirectory(), 'agent.jsonl'),
    },
  });
  atEnd(() => exporter.stop());
  return exporter;
}

async function answerTo(exporter: RunningServer, question: Ask): Promise<AgentAnswer & { skewMs: number | undefined }> {
  const url = `http://localhost:${exporter.port}`;
  const policy = { allowNetworks: [], allowLoopback: true };
  const reply = await ask(url, { policy, lookUp: systemLookUp(), now: Date.now, ...question });
  if (reply?.kind !== 'answered') throw new Error(JSON.stringify(reply));
  return { ...reply.answer, skewMs: reply.clockSkewMs };
}

describe('the exporter in agent mode', () => {
  it('answers a first ping about its GPUs, later ones about the time since, and knows which run was asked about', async () => {
    const exporter = await startAgent();
    const first = await answerTo(exporter, { cursor: undefined, spanFromMs: undefined });
    expect(first).toEqual({
      bootId: expect.stringMatching(/./),
      seq: expect.any(Number),
      isGpuAvailable: true,
      reason: undefined,
      claimed: { uptime: undefined, coverage: 0 },
      continuity: 'complete',
      skewMs: expect.any(Number),
    });
    expect(Math.abs(first.skewMs ?? Number.NaN)).toBeLessThan(1000);
    const { bootId, seq } = first;
    const since = { cursor: { bootId, seq }, spanFromMs: Date.now() };
    const claimed = { uptime: 1, coverage: 1 };
    const next = () => answerTo(exporter, since);
    await expect.poll(next, { timeout: 10_000 }).toMatchObject({ bootId, claimed, continuity: 'complete' });
    const stranger = { cursor: { bootId: 'another-run', seq: 5 }, spanFromMs: Date.now() - 900_000 };
    const lost = await answerTo(exporter, stranger);
    expect(lost).toMatchObject({ bootId, continuity: 'history_lost' });
    expect(lost.claimed.uptime).toBeLessThan(0.1);
  }, 40_000);
});
