import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CheckpointOptions, type OpenCheckpoint, openCheckpoint } from '../../../exporter/agent/checkpoint.ts';
import { eventLine, historyLine, restore } from '../../../exporter/agent/checkpoint-lines.ts';
import { emptyHistory, type History, type HistoryEvent, step } from '../../../exporter/agent/history.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { check, checks, down, historyOf, start, up } from './fixtures.ts';

const events = [start(), ...checks(1, 0, [up, down, up])];

function optionsIn(directory: string): CheckpointOptions & { readonly turns: (string | undefined)[] } {
  const turns: (string | undefined)[] = [];
  const onTurn = (problem: string | undefined) => turns.push(problem);
  const file = join(directory, 'sub', 'agent.jsonl');
  return { file, agentId: 'agent-1', rewriteEvery: 10, maxSpans: 100, steadyMs: () => 0, onTurn, turns };
}

async function opened(options: CheckpointOptions): Promise<OpenCheckpoint> {
  const opening = await openCheckpoint(options);
  if (opening.kind === 'held') throw new Error('the checkpoint is held');
  onTestFinished(() => opening.checkpoint.close());
  return opening;
}

function append({ checkpoint }: OpenCheckpoint, history: History, given: readonly HistoryEvent[]): History {
  return given.reduce((before, event) => {
    const after = step(before, event, 100);
    checkpoint.append(event, after);
    return after;
  }, history);
}

describe('openCheckpoint', () => {
  it('gives the next process the history of the last one', async () => {
    const options = optionsIn(temporaryDirectory());
    const first = await opened(options);
    expect([first.history, first.complaint]).toEqual([emptyHistory, undefined]);
    const history = append(first, first.history, events);
    await first.checkpoint.close();
    const second = await opened(options);
    expect([second.history, second.complaint]).toEqual([history, undefined]);
  });

  it('writes each event at once, and the file anew now and then', async () => {
    const options = optionsIn(temporaryDirectory());
    const { checkpoint } = await opened(options);
    let history = emptyHistory;
    const lengths: number[] = [];
    for (let seq = 1; seq <= 25; seq += 1) {
      history = append({ kind: 'opened', checkpoint, history, complaint: undefined }, history, [check(seq, seq * 5)]);
      await checkpoint.settled();
      lengths.push(readFileSync(options.file, 'utf8').split('\n').length - 1);
    }
    expect(lengths.slice(0, 13)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3]);
    expect(Math.max(...lengths)).toBe(10);
    await checkpoint.close();
    expect((await opened(options)).history).toEqual(history);
  });

  it('writes each event once, whatever the disk is busy with when it comes', async () => {
    const options = optionsIn(temporaryDirectory());
    const open = await opened({ ...options, rewriteEvery: 3 });
    let history = emptyHistory;
    for (let seq = 1; seq <= 300; seq += 1) {
      history = append(open, history, [check(seq, seq * 5)]);
      for (let turn = 0; turn < seq % 7; turn += 1) await nextTurn();
    }
    await open.checkpoint.close();
    expect(restore(readFileSync(options.file, 'utf8'), 'agent-1', 100)).toEqual({
      history,
      damagedLines: 0,
      otherAgent: undefined,
    });
  });

  it('keeps a copy of a damaged file, repairs it, and says so', async () => {
    const options = optionsIn(temporaryDirectory());
    const damaged = `${events.map(eventLine).join('')}garbage\n${eventLine(check(4, 15))}{"kind":"che`;
    mkdirSync(join(options.file, '..'));
    writeFileSync(options.file, damaged);
    const open = await opened(options);
    expect(open.complaint).toBe(
      `${options.file}: one line is damaged: a copy is kept as ${options.file}.damaged, the rest was taken over`,
    );
    expect(open.history).toEqual(historyOf([...events, check(4, 15)]));
    expect(readFileSync(`${options.file}.damaged`, 'utf8')).toBe(damaged);
    const history = append(open, open.history, [start('boot-b')]);
    await open.checkpoint.settled();
    expect(readFileSync(options.file, 'utf8')).toBe(historyLine('agent-1', history));
  });

  it('does not go on with the history of another agent', async () => {
    const options = optionsIn(temporaryDirectory());
    mkdirSync(join(options.file, '..'));
    writeFileSync(options.file, historyLine('agent-2', historyOf(events)));
    const { history, complaint } = await opened(options);
    expect([history, complaint]).toEqual([
      emptyHistory,
      expect.stringContaining('it is the checkpoint of the agent "agent-2": a copy is kept'),
    ]);
  });

  it('refuses a file that is in use, and gives it away when it is closed', async () => {
    const options = optionsIn(temporaryDirectory());
    const { checkpoint } = await opened(options);
    expect(await openCheckpoint(options)).toEqual({ kind: 'held' });
    await checkpoint.close();
    expect((await opened(options)).complaint).toBeUndefined();
  });

  it('goes on in memory when the file cannot be read, and does not touch it', async () => {
    const options = optionsIn(temporaryDirectory());
    mkdirSync(options.file, { recursive: true });
    const open = await opened(options);
    append(open, open.history, events);
    await open.checkpoint.settled();
    expect(open.complaint).toBe(
      `${options.file}: EISDIR: illegal operation on a directory: checks are kept in memory only; make the file readable and writable, then start the agent again`,
    );
    expect(open.checkpoint.problem()).toBe('the checkpoint cannot be used (EISDIR: illegal operation on a directory)');
    expect(readdirSync(options.file)).toEqual([]);
  });

  it('goes on in memory where there can be no file', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'sub'), '');
    const { checkpoint } = await opened(optionsIn(directory));
    expect(checkpoint.problem()).toMatch(/^the checkpoint cannot be used \((EEXIST|ENOTDIR): /);
  });
});

describe('a full disk', () => {
  it('costs nothing once there is room again', async () => {
    const options = optionsIn(temporaryDirectory());
    const open = await opened(options);
    // The kernel refuses every byte that is written to /dev/full, as a full disk does.
    symlinkSync('/dev/full', `${options.file}.tmp`);
    let history = append(open, open.history, events.slice(0, 2));
    await open.checkpoint.settled();
    const problem = 'the checkpoint cannot be written (ENOSPC: no space left on device)';
    expect([open.checkpoint.problem(), options.turns]).toEqual([problem, [problem]]);
    history = append(open, history, events.slice(2));
    await open.checkpoint.settled();
    expect([open.checkpoint.problem(), options.turns]).toEqual([undefined, [problem, undefined]]);
    await open.checkpoint.close();
    expect((await opened(options)).history).toEqual(history);
  });
});
