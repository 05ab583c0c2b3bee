/** The agent as a real process: killed, stopped, started twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { restore } from '../../../exporter/agent/checkpoint-lines.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

const entry = fileURLToPath(new URL('./agent-process.ts', import.meta.url));

interface Answer {
  readonly boot_id: string;
  readonly seq: number;
  readonly continuity: string;
  readonly total_checks: number;
  readonly available_checks: number;
  readonly lost_checks: number;
  readonly span_seconds: number;
  readonly available_seconds: number;
  readonly gap_seconds: number;
}

class AgentProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
  readonly port: Promise<number>;
  /** Checks of this run that began; the last one may not have got further. */
  begun = 0;

  constructor(file: string, intervalMs: number) {
    const child = spawn(process.execPath, [entry, '--file', file, '--interval', String(intervalMs)]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => ({ code, stderr }));
    this.port = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { check, port } = JSON.parse(line);
        if (check !== undefined) this.begun = check;
        if (port !== undefined) resolve(port);
      });
    });
    onTestFinished(() => this.end('SIGKILL').then(() => undefined));
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${await this.port}${path}`, { ...init, signal: AbortSignal.timeout(5000) });
  }

  async report(cursor?: Pick<Answer, 'boot_id' | 'seq'>): Promise<Answer> {
    const query = cursor === undefined ? '' : `?since=${cursor.seq}&boot_id=${cursor.boot_id}`;
    const response = await this.ask(`/agent/uptime-since-last-ping${query}`);
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  }

  async hasChecked(checks: number): Promise<void> {
    await expect.poll(() => this.begun, { timeout: 15_000, interval: 5 }).toBeGreaterThanOrEqual(checks);
  }

  async end(signal: NodeJS.Signals) {
    this.child.kill(signal);
    return this.ended;
  }
}

const checkpointFile = () => join(temporaryDirectory(), 'agent.jsonl');
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

describe('an agent that is killed with SIGKILL', () => {
  it('loses at most one check each time, and reports every other one exactly once', { timeout: 60_000 }, async () => {
    const file = checkpointFile();
    const reports: Answer[] = [];
    let [atLeast, atMost] = [0, 0];
    for (let round = 0; round < 5; round += 1) {
      const agent = new AgentProcess(file, 100);
      // Somewhere between two checks: the kill meets a check, an append or a compaction.
      await agent.hasChecked(2 + 2 * round);
      const report = await agent.report(reports.at(-1));
      reports.push(report);
      await delay(30 + Math.random() * 100);
      const { stderr } = await agent.end('SIGKILL');
      expect(stderr).toBe('');
      const { history, damagedLines } = restore(readFileSync(file, 'utf8'), 'agent-1', 1000);
      [atLeast, atMost] = [atLeast + agent.begun - 1, atMost + agent.begun];
      expect(damagedLines).toBe(0);
      expect(history.seq).toBeGreaterThanOrEqual(atLeast);
      expect(history.seq).toBeLessThanOrEqual(atMost);
      atMost = atLeast = history.seq;
    }
    expect(new Set(reports.map(({ continuity }) => continuity))).toEqual(new Set(['complete']));
    expect(sum(reports.map(({ lost_checks }) => lost_checks))).toBe(0);
    const all = restore(readFileSync(file, 'utf8'), 'agent-1', 1000).history;
    const last = reports.at(-1);
    const unread = all.seq - (last?.seq ?? 0);
    expect(sum(reports.map(({ total_checks }) => total_checks)) + unread).toBe(all.seq);
  });

  it('counts the time until the next start as a gap, not as up', async () => {
    const file = checkpointFile();
    const first = new AgentProcess(file, 50);
    await first.hasChecked(5);
    const before = await first.report();
    await first.end('SIGKILL');
    const stoppedFor = 600;
    await delay(stoppedFor);
    const second = new AgentProcess(file, 50);
    await second.hasChecked(3);
    const { boot_id, continuity, gap_seconds, available_seconds, span_seconds } = await second.report(before);
    expect([boot_id === before.boot_id, continuity]).toEqual([false, 'complete']);
    expect(gap_seconds).toBeGreaterThanOrEqual(stoppedFor / 1000);
    expect(available_seconds).toBeLessThan(span_seconds - stoppedFor / 1000);
  });

  it('leaves no lock behind', async () => {
    const file = checkpointFile();
    const first = new AgentProcess(file, 50);
    await first.hasChecked(1);
    const second = new AgentProcess(file, 50);
    expect(await second.ended).toEqual({
      code: 1,
      stderr: `Another agent writes to ${file}: give this one another AGENT_ID, or another AGENT_CHECKPOINT_FILE.\n`,
    });
    await first.end('SIGKILL');
    const third = new AgentProcess(file, 50);
    expect((await third.ask('/agent/health')).status).toBe(200);
  });
});

describe('an agent that is stopped with SIGSTOP', () => {
  it('reports the time as a gap', async () => {
    const agent = new AgentProcess(checkpointFile(), 100);
    await agent.hasChecked(3);
    const before = await agent.report();
    agent.child.kill('SIGSTOP');
    await delay(1000);
    agent.child.kill('SIGCONT');
    await agent.hasChecked(before.seq + 4);
    const { gap_seconds, available_seconds, continuity } = await agent.report(before);
    expect(continuity).toBe('complete');
    expect(gap_seconds).toBeGreaterThanOrEqual(0.8);
    expect(available_seconds).toBeLessThan(gap_seconds + 1);
  });
});

describe('an agent that is asked to end', () => {
  it('has everything on disk when it is gone', async () => {
    const file = checkpointFile();
    const agent = new AgentProcess(file, 50);
    await agent.hasChecked(5);
    await agent.ask('/gpus/7', { method: 'POST' });
    await agent.hasChecked(10);
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, stderr: '' });
    const { history } = restore(readFileSync(file, 'utf8'), 'agent-1', 1000);
    expect(history.seq).toBe(agent.begun);
    expect(history.spans.at(-1)?.finding).toEqual({ available: false, gpus: 7, reason: '7 of 8 GPUs answer' });
  });
});
