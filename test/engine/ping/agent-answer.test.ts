import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asked, decodeAgentAnswer } from '../../../engine/ping/agent-answer.ts';
import { answerBody } from './answer-body.ts';

const MINUTES = 60_000;
const ASKED: Asked = { agentId: 'agent-001', cursor: { bootId: 'boot-1', seq: 100 }, spanMs: 15 * MINUTES };

function decode(change: Readonly<Record<string, unknown>> = {}, asked: Partial<Asked> = {}) {
  return decodeAgentAnswer(JSON.stringify({ ...answerBody(), ...change }), { ...ASKED, ...asked });
}

function claimOf(...args: Parameters<typeof decode>) {
  const decoded = decode(...args);
  return decoded.kind === 'answer' ? decoded.answer.claimed : decoded.reason;
}

describe('decodeAgentAnswer', () => {
  it('takes what the agent says, and no more of it than is known', () => {
    expect(decode({ something_new: [1, 2] })).toEqual({
      kind: 'answer',
      answer: {
        bootId: 'boot-1',
        seq: 280,
        isGpuAvailable: true,
        reason: undefined,
        claimed: { uptime: 1, coverage: 1 },
        continuity: 'complete',
      },
      sentAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    });
  });

  it('claims nothing for a first ping, which asks about the GPU only', () => {
    const first = { since: 0, first_ping: true, gpu_available: false, reason: '0 of 1 GPUs answer' };
    expect(decode(first, { cursor: undefined, spanMs: undefined })).toMatchObject({
      answer: { isGpuAvailable: false, reason: '0 of 1 GPUs answer', claimed: { uptime: undefined, coverage: 0 } },
    });
  });

  it('knows an agent that cannot tell about its GPU from one that has none', () => {
    expect(decode({ gpu_available: null, timestamp: undefined })).toMatchObject({
      answer: { isGpuAvailable: undefined },
      sentAtMs: undefined,
    });
  });

  it('keeps a reason short and on one line', () => {
    const decoded = decode({ reason: `\u0000bad\n\u202eGPU ${'x'.repeat(1000)}` });
    expect(decoded).toMatchObject({ answer: { reason: `bad  GPU ${'x'.repeat(290)}` } });
  });
});

describe('the claimed uptime', () => {
  const gap = { available_seconds: 720, gap_seconds: 180, proven_uptime_percentage: 80, total_checks: 144 };

  it('counts time in which the agent did not look against it', () => {
    expect(claimOf({ ...gap, available_checks: 144 })).toEqual({ uptime: 0.8, coverage: 0.8 });
  });

  it('tells a GPU that was away from an agent that did not look by the coverage', () => {
    const away = { available_seconds: 720, unavailable_seconds: 180, proven_uptime_percentage: 80 };
    const checks = { total_checks: 180, available_checks: 144, uptime_percentage: 80 };
    expect(claimOf({ ...away, ...checks })).toEqual({ uptime: 0.8, coverage: 1 });
  });

  it('counts time that the agent leaves out as not looked at', () => {
    const short = { span_seconds: 84, available_seconds: 84, total_checks: 17, available_checks: 17 };
    expect(claimOf(short)).toEqual({ uptime: 0.1, coverage: 0.1 });
    const silent = { span_seconds: 0, available_seconds: 0, total_checks: 0, available_checks: 0 };
    expect(claimOf({ ...silent, uptime_percentage: null, proven_uptime_percentage: null })).toEqual({
      uptime: 0,
      coverage: 0,
    });
  });

  it('does not blame an agent that looks every five minutes for the last of them', () => {
    const slow = { span_seconds: 600, available_seconds: 600, total_checks: 2, available_checks: 2 };
    expect(claimOf(slow)).toEqual({ uptime: 1, coverage: 1 });
  });

  it('is unknown when the span is so short that there was nothing to look at', () => {
    const none = { span_seconds: 0, available_seconds: 0, total_checks: 0, available_checks: 0 };
    const unknown = { uptime: undefined, coverage: 0 };
    expect(claimOf({ ...none, uptime_percentage: null, proven_uptime_percentage: null }, { spanMs: 3000 })).toEqual(
      unknown,
    );
  });

  it('is unknown when the agent lost its place and answers for longer than it was asked', () => {
    const old = { since: 0, continuity: 'history_lost', span_seconds: 9000, available_seconds: 9000 };
    expect(claimOf(old)).toEqual({ uptime: undefined, coverage: 0 });
    expect(claimOf({ ...old, boot_id: 'boot-2' })).toEqual({ uptime: undefined, coverage: 0 });
  });

  it('of a new run that lost the old one is what the new one has seen of the span', () => {
    const fresh = { boot_id: 'boot-2', seq: 42, since: 0, continuity: 'history_lost', total_checks: 42 };
    expect(claimOf({ ...fresh, available_checks: 42, span_seconds: 210, available_seconds: 210 })).toEqual({
      uptime: 0.25,
      coverage: 0.25,
    });
  });
});

describe('the answer of somebody else', () => {
  it('is none of this agent, and the sentence names both', () => {
    expect(decode({ agent_id: 'agent-\u0000"002' })).toEqual({
      kind: 'invalid',
      reason: 'it is agent "agent- \\"002", not "agent-001": register its URL under that id, or correct its AGENT_ID',
    });
    expect(decode({ agent_id: 'Agent-001' })).toMatchObject({ kind: 'invalid' });
    expect(decode({ agent_id: '' })).toMatchObject({ kind: 'invalid' });
  });

  it.each([undefined, null])('is taken for its own when it does not say whose it is (%s)', (agent_id) => {
    expect(decode({ agent_id })).toMatchObject({ kind: 'answer' });
  });

  it('is said before what is wrong with it otherwise', () => {
    expect(decode({ agent_id: 'agent-002', seq: 1 })).toMatchObject({ reason: expect.stringContaining('agent-002') });
  });
});

describe('answers that are none', () => {
  it.each([
    [
      'more than everything',
      { uptime_percentage: 250 },
      'its uptime_percentage is wrong: it is 250, and must be at most 100',
    ],
    [
      'less than nothing',
      { proven_uptime_percentage: -1 },
      'its proven_uptime_percentage is wrong: it is -1, and must be at least 0',
    ],
    [
      'a number as text',
      { uptime_percentage: '100' },
      'its uptime_percentage is wrong: it is "100", and must be a number',
    ],
    ['negative time', { span_seconds: -900, available_seconds: -900 }, 'its span_seconds is wrong'],
    ['negative downtime', { unavailable_seconds: -5 }, 'its unavailable_seconds is wrong'],
    ['time without end', { span_seconds: 1e308, available_seconds: 1e308, gap_seconds: 1e308 }, 'its seconds do not'],
    ['half a check', { seq: 280.5 }, 'its seq is wrong: it is 280.5, and must be a whole number'],
    ['a cursor that the agent would not take back', { seq: 1e15 }, 'its seq is wrong'],
    ['no boot id', { boot_id: '' }, 'its boot_id is wrong: it must be 1 to 128 visible characters'],
    ['a boot id with a line break', { boot_id: 'a\r\nb' }, 'its boot_id is wrong'],
    ['a boot id without end', { boot_id: 'a'.repeat(129) }, 'its boot_id is wrong'],
    [
      'another continuity',
      { continuity: 'trust me' },
      'its continuity is wrong: it is "trust me", and must be one of complete, history_lost',
    ],
    [
      'no word about the GPU',
      { gpu_available: undefined },
      'its gpu_available is wrong: it is missing, and must be true or false',
    ],
    [
      'a time that is none',
      { timestamp: 'now' },
      'its timestamp is wrong: it is "now", and must be an instant such as 2026-',
    ],
    ['a seq that goes back', { seq: 99, since: 99 }, 'its seq went back within one run of the agent'],
    ['another question', { first_ping: true, since: 0 }, 'it answers as if it had not been asked since when'],
    ['a beginning after the end', { since: 281, continuity: 'history_lost' }, 'its since is beyond its seq'],
    ['a beginning that is left out', { since: 200 }, 'it calls its answer complete and leaves out the beginning'],
    ['more good checks than checks', { available_checks: 181 }, 'it claims more available checks than checks'],
    ['parts beyond the whole', { available_seconds: 2000 }, 'its seconds do not add up to its span'],
    ['a whole without parts', { available_seconds: 0 }, 'its seconds do not add up to its span'],
    ['proof that its seconds do not give', { proven_uptime_percentage: 90 }, 'its proven uptime is not what'],
    ['a share of checks that they do not give', { uptime_percentage: 90 }, 'its uptime is not what its checks say'],
    ['no share of checks at all', { uptime_percentage: null }, 'its uptime is not what its checks say'],
    [
      'more time than there was',
      { span_seconds: 1200, available_seconds: 1200 },
      'it claims to have watched longer than the time since the last ping',
    ],
  ])('%s: %j', (_, change, reason) => {
    const decoded = decode(change);
    expect(decoded).toMatchObject({ kind: 'invalid' });
    expect(decoded.kind === 'invalid' && decoded.reason.slice(0, reason.length)).toBe(reason);
  });

  it.each([
    ['', 'it answers what is not JSON: ""'],
    ['{"seq": 1', 'it answers what is not JSON: "{\\"seq\\": 1"'],
    ['<html>\u0007hello</html>', 'it answers what is not JSON: "<html> hello</html>"'],
    ['null', 'its answer is wrong: it is null, and must be an object'],
    ['[]', 'its answer is wrong: it is a list, and must be an object'],
    ['NaN', 'it answers what is not JSON: "NaN"'],
    ['['.repeat(30_000), `it answers what is not JSON: "${'['.repeat(80)}"`],
  ])('%j', (text, reason) => {
    expect(decodeAgentAnswer(text, ASKED)).toEqual({ kind: 'invalid', reason });
  });

  it('a number beyond all numbers', () => {
    const text = JSON.stringify(answerBody()).replace('"seq":280', '"seq":1e999');
    const reason = 'its seq is wrong: it is Infinity, and must be a number';
    expect(decodeAgentAnswer(text, ASKED)).toEqual({ kind: 'invalid', reason });
  });

  it('never throw, and never give a ratio that is none', () => {
    const field = fc.oneof(fc.jsonValue(), fc.double(), fc.nat(), fc.boolean());
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(answerBody())), field, { maxKeys: 6 });
    fc.assert(
      fc.property(changes, fc.option(fc.integer({ min: 0 }), { nil: undefined }), (change, spanMs) => {
        const decoded = decode(change, { spanMs });
        if (decoded.kind === 'invalid') return;
        const { uptime = 0, coverage } = decoded.answer.claimed;
        expect(uptime).toBeGreaterThanOrEqual(0);
        expect(coverage).toBeLessThanOrEqual(1);
        expect(uptime).toBeLessThanOrEqual(coverage);
      }),
      { numRuns: 1000 },
    );
  });
});
