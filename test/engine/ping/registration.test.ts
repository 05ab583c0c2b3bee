import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { instanceOf, readRegistration } from '../../../engine/ping/registration.ts';
import { policy } from '../core/fixtures.ts';
import { REGISTRATION } from './registry-fixtures.ts';

const guard = addressGuard(policy().ping.targets);
const read = (body: unknown) => readRegistration(body, (text) => readAgentUrl(text, guard));

const ID = 'write 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit';
const CAPABILITY = 'write 1 to 128 of A-Z a-z 0-9 . _ : / + - beginning with a letter or digit';
const PLAIN = 'write a number, true, false or a text of at most 512 characters, all printable';
const KEY = 'a name is 1 to 64 of A-Z a-z 0-9 _ . - beginning with a letter, or with one _';
const FIELDS = 'agent_id, agent_url, capabilities and metadata';

describe('readRegistration', () => {
  it('reads the body of the guide', () => {
    expect(read(REGISTRATION)).toEqual({
      kind: 'fit',
      draft: {
        id: 'agent-001',
        url: 'http://agent-host:8001',
        capabilities: ['gpu-compute', 'image-generation'],
        metadata: { gpu_model: 'RTX 4090' },
        node: 'agent-host:8001',
        gpu: undefined,
      },
    });
  });

  it('needs neither capabilities nor metadata, and writes the URL in one way', () => {
    const body = { agent_id: 'a', agent_url: 'HTTPS://Agents.Example.org:443/gpu-7/' };
    expect(read(body)).toEqual({
      kind: 'fit',
      draft: {
        id: 'a',
        url: 'https://agents.example.org/gpu-7',
        capabilities: [],
        metadata: {},
        node: 'agents.example.org:443/gpu-7',
        gpu: undefined,
      },
    });
  });

  it('takes node and GPU from the metadata, and a capability once', () => {
    const metadata = { node: 'node-7:9400', gpu_uuid: 'GPU-1', slots: 4, spot: true };
    const body = { ...REGISTRATION, capabilities: ['b', 'a', 'b'], metadata };
    expect(read(body)).toMatchObject({
      draft: { capabilities: ['b', 'a'], metadata, node: 'node-7:9400', gpu: 'GPU-1' },
    });
  });

  it.each([
    ['no body', undefined, '', `send a JSON object with ${FIELDS}`],
    ['a list', [REGISTRATION], '', `send a JSON object with ${FIELDS}`],
    [
      'a field more',
      { ...REGISTRATION, token: 'x' },
      '',
      `nothing else is known than ${FIELDS}; what more there is to say belongs into metadata`,
    ],
    ['no id', { ...REGISTRATION, agent_id: undefined }, 'agent_id', 'write the id of the agent as text'],
    ['an empty id', { ...REGISTRATION, agent_id: '' }, 'agent_id', ID],
    ['a path as id', { ...REGISTRATION, agent_id: '../admin' }, 'agent_id', ID],
    ['a dot as id', { ...REGISTRATION, agent_id: '..' }, 'agent_id', ID],
    ['a line break in the id', { ...REGISTRATION, agent_id: 'a\n' }, 'agent_id', ID],
    ['a long id', { ...REGISTRATION, agent_id: 'a'.repeat(129) }, 'agent_id', ID],
    [
      'the id of a path',
      { ...REGISTRATION, agent_id: 'due-for-ping' },
      'agent_id',
      'this is a path of the engine itself; choose another id',
    ],
    [
      'no URL',
      { ...REGISTRATION, agent_url: 7 },
      'agent_url',
      'write the base URL of the agent, as http://agent-host:8001',
    ],
    [
      'metadata server',
      { ...REGISTRATION, agent_url: 'http://169.254.169.254/' },
      'agent_url',
      expect.stringMatching(/^169\.254\.169\.254 is .*, which no policy can allow: register another address$/),
    ],
    [
      'a long URL',
      { ...REGISTRATION, agent_url: `http://a/${'a'.repeat(2048)}` },
      'agent_url',
      expect.stringMatching(/longer than 2048 characters/),
    ],
    [
      'capabilities as text',
      { ...REGISTRATION, capabilities: 'gpu' },
      'capabilities',
      'write a list of names, as ["gpu-compute"]',
    ],
    ['a capability that is none', { ...REGISTRATION, capabilities: ['a', ' b'] }, 'capabilities/1', CAPABILITY],
    ['a long capability', { ...REGISTRATION, capabilities: ['a'.repeat(129)] }, 'capabilities/0', CAPABILITY],
    [
      'many capabilities',
      { ...REGISTRATION, capabilities: names(65) },
      'capabilities',
      'write at most 64 capabilities',
    ],
    [
      'metadata as list',
      { ...REGISTRATION, metadata: [1] },
      'metadata',
      'write an object of names and values, as {"gpu_model": "RTX 4090"}',
    ],
    [
      'metadata null',
      { ...REGISTRATION, metadata: null },
      'metadata',
      'write an object of names and values, as {"gpu_model": "RTX 4090"}',
    ],
    ['metadata within metadata', { ...REGISTRATION, metadata: { a: { b: 1 } } }, 'metadata/a', PLAIN],
    ['a terminal escape', { ...REGISTRATION, metadata: { a: '\u001b[2J' } }, 'metadata/a', PLAIN],
    ['half a character', { ...REGISTRATION, metadata: { a: '\ud800' } }, 'metadata/a', PLAIN],
    ['a number without end', { ...REGISTRATION, metadata: { a: Number.POSITIVE_INFINITY } }, 'metadata/a', PLAIN],
    ['a long value', { ...REGISTRATION, metadata: { a: 'x'.repeat(513) } }, 'metadata/a', PLAIN],
    ['a name Prometheus keeps', { ...REGISTRATION, metadata: { __name: 'x' } }, 'metadata/__name', KEY],
    [
      'a prototype',
      JSON.parse('{"agent_id":"a","agent_url":"http://a:8001","metadata":{"__proto__":1}}'),
      'metadata/__proto__',
      KEY,
    ],
    [
      'a node that is a number',
      { ...REGISTRATION, metadata: { node: 7 } },
      'metadata/node',
      'write a name of at most 512 characters, all printable',
    ],
    [
      'many entries',
      { ...REGISTRATION, metadata: Object.fromEntries(names(33).map((name) => [name, 1])) },
      'metadata',
      'write at most 32 entries',
    ],
    [
      'too much of it',
      { ...REGISTRATION, metadata: Object.fromEntries(names(9).map((name) => [name, 'é'.repeat(250)])) },
      'metadata',
      'write at most 4096 bytes of JSON',
    ],
  ])('refuses %s', (_, body, field, problem) => {
    expect(read(body)).toEqual({ kind: 'unfit', problems: [{ field, problem }] });
  });

  it('names every problem at once', () => {
    const body = { agent_id: '', agent_url: 'ftp://a', capabilities: [1, ''], metadata: { '': 1 } };
    const result = read(body);
    const problems = result.kind === 'unfit' ? result.problems : [];
    expect(problems.map(({ field }) => field).sort()).toEqual([
      'agent_id',
      'agent_url',
      'capabilities/0',
      'capabilities/1',
      'metadata/',
    ]);
  });

  it('stays short, however much is wrong', () => {
    const result = read({ ...REGISTRATION, capabilities: names(64).map(() => '') });
    expect(result.kind === 'unfit' && result.problems.length).toBe(20);
  });

  it('answers any JSON with a draft within the limits, or with problems; it never throws', () => {
    const field = fc.oneof(fc.jsonValue({ noUnicodeString: false }), fc.string({ unit: 'binary' }));
    const body = fc.record(
      {
        agent_id: fc.oneof(fc.stringMatching(/^[A-Za-z0-9._:-]{1,130}$/), field),
        agent_url: fc.oneof(fc.webUrl(), field),
        capabilities: fc.oneof(fc.array(fc.stringMatching(/^[a-z0-9/ -]{1,9}$/)), field),
        metadata: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), field)), field),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(body, fc.jsonValue(), fc.anything()), (any) => {
        const result = read(any);
        if (result.kind === 'unfit')
          return result.problems.length > 0 && result.problems.every(({ problem }) => problem !== '');
        const { id, capabilities, metadata } = result.draft;
        return id.length <= 128 && capabilities.length <= 64 && Buffer.byteLength(JSON.stringify(metadata)) <= 4096;
      }),
      { numRuns: 1000 },
    );
  });
});

describe('instanceOf', () => {
  it.each([
    ['http://agent-host', 'agent-host:80'],
    ['https://agent-host', 'agent-host:443'],
    ['http://localhost:8001', '127.0.0.1:8001'],
    ['http://gpu.localhost:8001', '127.0.0.1:8001'],
    ['http://localhost.example.org:8001', 'localhost.example.org:8001'],
    ['http://notlocalhost:8001', 'notlocalhost:8001'],
    ['http://[2001:4860::1]:8001', '[2001:4860::1]:8001'],
    ['https://agents.example.org/gpu-7', 'agents.example.org:443/gpu-7'],
    ['http://localhost:8001/a/b/', '127.0.0.1:8001/a/b'],
  ])('calls %s %s', (url, instance) => {
    expect(instanceOf(url)).toBe(instance);
  });
});

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `n${at}`);
}
