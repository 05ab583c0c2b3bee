import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { pollSilences } from '../../../engine/alertmanager/silences.ts';
import { openHttpClient } from '../../../engine/http-client/client.ts';
import { PLAIN_HTTP } from '../../../engine/http-client/settings.ts';
import { freePort } from '../../servers/free-port.ts';
import { atTick, matcher, silence } from '../core/silences.ts';
import { gettableSilence, SilenceServer } from './silence-server.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function start() {
  const server = new SilenceServer();
  const peer = await server.listen();
  endings.push(() => server.close());
  return { server, peer };
}

const signal = () => AbortSignal.timeout(20_000);

describe('pollSilences', () => {
  it('reads every silence, matchers of older Alertmanagers included', async () => {
    const { server, peer } = await start();
    const { isEqual: _, ...old } = matcher('instance=a');
    server.answer = (response) => response.end(JSON.stringify([{ ...gettableSilence(silence()), matchers: [old] }]));
    const { silences, answers } = await pollSilences([{ ...peer, url: `${peer.url}/` }], signal());
    expect(silences).toEqual([{ ...silence(), matchers: [matcher('instance=a')] }]);
    expect(answers).toEqual([{ url: `${peer.url}/`, failure: undefined }]);
    expect(server.paths).toEqual(['GET /api/v2/silences']);
  });

  it('reads instants with nanoseconds and offsets', async () => {
    const { server, peer } = await start();
    const startsAt = '2023-11-15T00:13:20.000000001+02:00';
    server.answer = (response) => response.end(JSON.stringify([{ ...gettableSilence(silence()), startsAt }]));
    const { silences } = await pollSilences([peer], signal());
    expect(silences).toEqual([{ ...silence(), startsAtMs: atTick(0) }]);
  });

  it('takes the newest version that any peer tells, and what only one of them knows', async () => {
    const [one, other] = [await start(), await start()];
    one.server.silences = [silence(), silence({ id: 's2' })];
    other.server.silences = [silence({ updatedAtMs: atTick(4), endsAtMs: atTick(90) }), silence({ id: 's3' })];
    const { silences } = await pollSilences([one.peer, other.peer], signal());
    expect(silences.map(({ id, endsAtMs }) => [id, endsAtMs])).toEqual([
      ['s1', atTick(90)],
      ['s2', atTick(20)],
      ['s3', atTick(20)],
    ]);
  });

  it('is content with one peer that answers, and says what ails the other', async () => {
    const { server, peer } = await start();
    server.silences = [silence()];
    const dead = { url: `http://127.0.0.1:${await freePort()}`, client: openHttpClient(PLAIN_HTTP) };
    endings.push(() => dead.client.close());
    const { silences, answers } = await pollSilences([dead, peer], signal());
    expect(silences).toHaveLength(1);
    expect(answers).toEqual([
      { url: dead.url, failure: expect.stringContaining('ECONNREFUSED') },
      { url: peer.url, failure: undefined },
    ]);
  });

  const endless = (response: ServerResponse) => {
    const piece = 'x'.repeat(1024 * 1024);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  };

  it.each<[string, (response: ServerResponse) => void, string | RegExp]>([
    ['an error', (response) => response.writeHead(500).end('no disk'), 'answered 500: no disk'],
    ['a redirect', (response) => response.writeHead(302, { location: 'http://x.example/' }).end(), /^answered 302/],
    ['a page', (response) => response.end('<html>'), 'answered with what is not a list of silences; check its address'],
    ['an object', (response) => response.end('{}'), 'answered with what is not a list of silences; check its address'],
    [
      'too many silences',
      (response) => response.end(JSON.stringify(Array.from({ length: 10_001 }, () => 1))),
      'told of 10001 silences; at most 10000 are read',
    ],
    ['an endless answer', endless, 'it answers with more than 16777216 bytes'],
    ['a connection that breaks', (response) => response.destroy(), /./],
  ])('fails on %s', async (_, answer, failure) => {
    const { server, peer } = await start();
    server.answer = answer;
    const polled = await pollSilences([peer], signal());
    expect(polled.silences).toEqual([]);
    expect(polled.answers[0]?.failure).toMatch(failure);
  });

  it('waits for a peer that hangs only as long as it is told to', async () => {
    const { server, peer } = await start();
    server.answer = () => {};
    const { answers } = await pollSilences([peer], AbortSignal.timeout(100));
    expect(answers[0]?.failure).toBeDefined();
  });

  it.each([
    ['no matchers', { matchers: [] }],
    ['no id', { id: '' }],
    ['an instant that is none', { updatedAt: 'yesterday' }],
    ['a comment that is none', { comment: 5 }],
  ])('leaves out an entry with %s, and reads the others', async (_, change) => {
    const { server, peer } = await start();
    const entries = [{ ...gettableSilence(silence({ id: 'bad' })), ...change }, gettableSilence(silence())];
    server.answer = (response) => response.end(JSON.stringify(entries));
    expect(await pollSilences([peer], signal())).toEqual({
      silences: [silence()],
      answers: [{ url: peer.url, failure: 'told of 1 silences that cannot be read' }],
    });
  });
});
