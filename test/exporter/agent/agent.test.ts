import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Agent, startAgent } from '../../../exporter/agent/agent.ts';
import type { GpuTruth } from '../../../exporter/agent/gpu-truth.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { wallZeroMs } from './fixtures.ts';

const truth = (gpus: number): GpuTruth => ({ available: gpus > 0, gpus, expected: undefined, reason: undefined });

/** A real agent on a clock that the test moves. Its first check finds that nothing was read yet, so it does not count. */
async function agentIn(directory: string, bootId = 'boot-a') {
  const world: { second: number; truth: GpuTruth | undefined | Error } = { second: 0, truth: undefined };
  const said: string[] = [];
  const say = (level: string) => (fields: unknown, text?: string) => said.push(`${level}: ${text ?? fields}`);
  const start = await startAgent({
    agentId: 'agent-1',
    gpuCheck: () => {
      if (world.truth instanceof Error) throw world.truth;
      return world.truth;
    },
    intervalMs: 5000,
    maxHistory: 100,
    checkpointFile: join(directory, 'agent.jsonl'),
    checkpointEvery: 10,
    clock: {
      now: () => ({ wallMs: wallZeroMs + world.second * 1000, steadyMs: world.second * 1000, epoch: 'machine-1' }),
    },
    bootId,
    log: { info: say('info'), warn: say('warn') },
  });
  if (start.kind === 'refused') throw new Error(start.problem);
  const { agent } = start;
  onTestFinished(() => agent.stop());
  const check = (found: GpuTruth | undefined | Error, afterSeconds = 5) => {
    world.truth = found;
    world.second += afterSeconds;
    agent.check();
  };
  return { agent, world, said, check };
}

const totals = (agent: Agent) => {
  const { seq, totals } = agent.report(undefined);
  return { seq, available: totals.availableChecks, availableMs: totals.availableMs, gapMs: totals.gapMs };
};

const linesOf = (directory: string) => readFileSync(join(directory, 'agent.jsonl'), 'utf8').trim().split('\n');

describe('startAgent', () => {
  it('counts no check until something was read', async () => {
    const { agent, check } = await agentIn(temporaryDirectory());
    check(undefined);
    expect([totals(agent).seq, agent.current()]).toEqual([0, undefined]);
    check(truth(8));
    check(truth(8));
    expect(totals(agent)).toEqual({ seq: 2, available: 2, availableMs: 5000, gapMs: 0 });
    expect(agent.current()).toEqual({ available: true, gpus: 8, expected: 8, reason: undefined });
  });

  it('misses a GPU that it saw once, also after a restart', async () => {
    const directory = temporaryDirectory();
    const first = await agentIn(directory);
    first.check(truth(8));
    first.check(truth(7));
    expect(first.agent.current()).toEqual({ available: false, gpus: 7, expected: 8, reason: '7 of 8 GPUs answer' });
    await first.agent.stop();
    const second = await agentIn(directory, 'boot-b');
    second.check(truth(7), 60);
    expect(totals(second.agent)).toEqual({ seq: 3, available: 1, availableMs: 0, gapMs: 50_000 });
    expect(second.agent.report({ bootId: 'boot-a', since: 2 })).toMatchObject({ bootId: 'boot-b', since: 2 });
  });

  it('takes a check that throws for a GPU that is not available', async () => {
    const { agent, check } = await agentIn(temporaryDirectory());
    check(new Error('no such field'));
    expect(agent.report(undefined).downtimes).toMatchObject([
      { gpus: 0, reason: 'the check itself failed: Error: no such field' },
    ]);
  });

  it('keeps no more than the beginning of an endless reason', async () => {
    const { agent, check } = await agentIn(temporaryDirectory());
    check({ ...truth(0), reason: 'x'.repeat(10_000) });
    expect(agent.report(undefined).downtimes[0]?.reason).toHaveLength(300);
  });

  it('logs the turns only', async () => {
    const { said, check } = await agentIn(temporaryDirectory());
    for (const gpus of [8, 8, 7, 7, 8, 8]) check(truth(gpus));
    expect(said).toEqual([
      'info: the agent starts checking',
      'warn: the GPUs are not available',
      'info: the GPUs are available again',
    ]);
  });

  it('writes nothing for those who make cursors up', async () => {
    const directory = temporaryDirectory();
    const { agent, check } = await agentIn(directory);
    for (const gpus of [8, 7, 8]) check(truth(gpus));
    agent.report(undefined);
    await expect.poll(() => linesOf(directory).at(-1)).toBe('{"kind":"ping","seq":3}');
    const before = linesOf(directory);
    for (let since = 1000; since < 1500; since += 1) {
      agent.report({ bootId: 'boot-a', since });
      agent.report({ bootId: `boot-${since}`, since });
      agent.report({ bootId: 'boot-a', since: 2 });
      agent.report(undefined);
    }
    await agent.stop();
    expect(linesOf(directory)).toEqual(before);
  });

  it('refuses a checkpoint that another agent writes to', async () => {
    const directory = temporaryDirectory();
    await agentIn(directory);
    await expect(agentIn(directory, 'boot-b')).rejects.toThrow(
      `Another agent writes to ${join(directory, 'agent.jsonl')}: give this one another AGENT_ID, or another AGENT_CHECKPOINT_FILE.`,
    );
  });
});

describe('health', () => {
  const healthy = { status: 'healthy', bootId: 'boot-a', intervalMs: 5000, isCheckpointWritable: true, problems: [] };

  it('is about the agent, not about its GPUs', async () => {
    const { agent, world, check } = await agentIn(temporaryDirectory());
    expect(agent.health()).toEqual({ ...healthy, seq: 0, lastCheckAgeMs: undefined });
    check(truth(0));
    world.second += 15;
    await expect.poll(() => agent.health()).toEqual({ ...healthy, seq: 1, lastCheckAgeMs: 15_000 });
  });

  it('says when no check is made any more', async () => {
    const { agent, world, check } = await agentIn(temporaryDirectory());
    check(truth(8));
    world.second += 16;
    await expect
      .poll(() => agent.health())
      .toEqual({
        ...healthy,
        status: 'unhealthy',
        seq: 1,
        lastCheckAgeMs: 16_000,
        problems: [
          'no check has been made for 16 s, one is due every 5 s: the process was stopped or has too little CPU',
        ],
      });
  });

  it('says when checks would not survive the process, and when they would again', async () => {
    const directory = temporaryDirectory();
    symlinkSync('/dev/full', join(directory, 'agent.jsonl.tmp'));
    const { agent, said, check } = await agentIn(directory);
    const problem = 'the checkpoint cannot be written (ENOSPC: no space left on device)';
    expect(agent.health()).toMatchObject({ status: 'unhealthy', isCheckpointWritable: false, problems: [problem] });
    check(truth(8));
    await expect.poll(() => agent.health()).toMatchObject({ status: 'healthy', isCheckpointWritable: true });
    expect(said.slice(0, 3)).toEqual([
      `warn: ${problem}; checks are kept in memory until it can be written`,
      'info: the agent starts checking',
      'info: the checkpoint can be written again',
    ]);
  });

  it('says when a write hangs', async () => {
    const { agent, world, check } = await agentIn(temporaryDirectory());
    check(truth(8));
    // The write under way has no chance to end before the clock is read again.
    world.second += 12;
    expect(agent.health().problems).toEqual(['a write to the checkpoint has been under way for 12 s']);
  });
});
