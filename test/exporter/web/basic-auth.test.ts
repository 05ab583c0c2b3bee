import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hashSync } from 'bcryptjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBasicAuth, readCredentials } from '../../../exporter/web/basic-auth.ts';
import type { PasswordChecker } from '../../../exporter/web/password-checker.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { askHttp, basic } from './https-client.ts';
import { requireProgram } from './program.ts';
import { type ServeOptions, serveWeb } from './web-server-under-test.ts';

// Made by libxcrypt, so that bcryptjs is not its own judge: one of each form.
const dave = '$2y$10$qlo877sn5ywwGEzutHZanOCf0lXBi8lqMQ9QYOd6v/0LSfe/0diYG';
const carol = '$2a$10$wlkKABcF3RfQAOgZp8fiN.V8dllhIDx9CJ6d3NPzSTPARD3/dNKb2';
const erin = '$2b$10$Ls.LA6wwFGRxmspjBk1izO8TxziCw5djtvjqXAvq0UjUOd3pabr7a';

const cheap = (password: string) => hashSync(password, 4);

async function serveUsers(users: Readonly<Record<string, string>>, options: ServeOptions = {}) {
  const config = join(temporaryDirectory(), 'web.yml');
  writeFileSync(config, JSON.stringify({ basic_auth_users: users }));
  return serveWeb({ config, ...options });
}

describe('basic_auth_users', () => {
  it('let in who knows name and password, and nobody else', async () => {
    const { port } = await serveUsers({ dave, carol, erin });
    const statusFor = async (headers: Readonly<Record<string, string>>) => (await askHttp({ port, headers })).status;
    expect(await statusFor(basic('dave', 'slow fan'))).toBe(200);
    expect(await statusFor(basic('carol', 'wet cable'))).toBe(200);
    expect(await statusFor(basic('erin', 'loose riser'))).toBe(200);
    expect(await statusFor({})).toBe(401);
    expect(await statusFor(basic('dave', 'wet cable'))).toBe(401);
    expect(await statusFor(basic('Dave', 'slow fan'))).toBe(401);
    expect(await statusFor(basic('nobody', 'slow fan'))).toBe(401);
    expect(await statusFor(basic('', ''))).toBe(401);
    // The answers that are remembered are the same ones.
    expect(await statusFor(basic('dave', 'slow fan'))).toBe(200);
    expect(await statusFor(basic('nobody', 'slow fan'))).toBe(401);
  });

  it('answer 401 exactly as the original does', async () => {
    const { port } = await serveUsers({ dave });
    const { status, headers, body } = await askHttp({ port });
    const { date: _, ...others } = headers;
    expect({ status, headers: others, body }).toEqual({
      status: 401,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'www-authenticate': 'Basic',
        'x-content-type-options': 'nosniff',
        'content-length': '13',
        connection: 'close',
      },
      body: 'Unauthorized\n',
    });
  });

  it('take names and passwords of any language, with colons in the password', async () => {
    const { port } = await serveUsers({ 'Zoë 🦊': cheap('pä:ss:wörd') });
    expect((await askHttp({ port, headers: basic('Zoë 🦊', 'pä:ss:wörd') })).status).toBe(200);
  });

  it('make a write possible from elsewhere, and no page of another site', async () => {
    const { port } = await serveUsers({ sre: cheap('secret') });
    const ask = async (headers: Readonly<Record<string, string>>) =>
      JSON.parse((await askHttp({ port, headers: { ...basic('sre', 'secret'), ...headers } })).body);
    expect(await ask({ 'X-Forwarded-For': '192.0.2.1' })).toEqual({ url: '/', isLocal: false, mayWrite: true });
    expect(await ask({ Origin: 'https://evil.example' })).toEqual({ url: '/', isLocal: true, mayWrite: false });
  });

  it('reach the handler with a body that was sent meanwhile', async () => {
    const { port } = await serveUsers(
      { sre: cheap('secret') },
      {
        handler: async (received, response) => {
          const parts = await Array.fromAsync(received);
          response.end(Buffer.concat(parts));
        },
      },
    );
    const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: basic('sre', 'secret') });
    sent.end('x'.repeat(50_000));
    const [response] = await once(sent, 'response');
    expect((await Array.fromAsync<Buffer>(response)).reduce((sum, { length }) => sum + length, 0)).toBe(50_000);
  });

  it('let curl in with --user', async (context) => {
    const curl = requireProgram(context, 'curl');
    const { port } = await serveUsers({ dave });
    const ask = (user: string) =>
      promisify(execFile)(curl, ['-s', '--fail', '--max-time', '10', '--user', user, `http://127.0.0.1:${port}/`]);
    expect(JSON.parse((await ask('dave:slow fan')).stdout)).toMatchObject({ mayWrite: true });
    await expect(ask('dave:slow fans')).rejects.toMatchObject({ code: 22 });
  });
});

describe('a flood of wrong passwords', () => {
  // About a quarter of a second each here.
  const slow = hashSync('secret', 12);

  it('delays neither who is known already nor the event loop', async () => {
    const { port } = await serveUsers({ sre: slow });
    const ask = (password: string) => askHttp({ port, headers: basic('sre', password) });
    expect((await ask('secret')).status).toBe(200);
    let isOver = false;
    const flood = Promise.all(Array.from({ length: 40 }, (_, nth) => ask(`wrong ${nth}`))).finally(() => {
      isOver = true;
    });
    for (let scrape = 0; scrape < 50; scrape++) expect((await ask('secret')).status).toBe(200);
    expect(isOver).toBe(false);
    // Eight may wait while one is being checked; the others are told to come back.
    const statuses = (await flood).map(({ status }) => status);
    const wrong = statuses.filter((status) => status === 401).length;
    expect(wrong).toBeGreaterThanOrEqual(9);
    expect(statuses.filter((status) => status === 503)).toHaveLength(40 - wrong);
    expect(wrong).toBeLessThan(40);
  });

  it('leaves a client from elsewhere its turn', async () => {
    const { port } = await serveUsers({ sre: slow });
    const ask = (localAddress: string, password: string) =>
      askHttp({ port, localAddress, headers: basic('sre', password) });
    const flood = Array.from({ length: 9 }, (_, nth) => ask('127.0.0.2', `wrong ${nth}`));
    await delay(100);
    const order: string[] = [];
    const scrape = ask('127.0.0.3', 'secret').then(({ status }) => order.push(`scrape ${status}`));
    const noted = flood.map((answer) => answer.then(({ status }) => order.push(`flood ${status}`)));
    await Promise.all([scrape, ...noted]);
    expect(order.indexOf('scrape 200')).toBeLessThan(4);
  });
});

describe('a wrong password', () => {
  it('takes as long for a name that does not exist', async () => {
    const { port } = await serveUsers({ dave, carol, erin });
    const msFor = async (user: string, nth: number) => {
      const startMs = performance.now();
      await askHttp({ port, headers: basic(user, `wrong ${nth}`) });
      return performance.now() - startMs;
    };
    await msFor('dave', -1);
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let nth = 0; nth < 7; nth++) {
      known.push(await msFor('dave', nth));
      unknown.push(await msFor('nobody', nth));
    }
    // Without the work, an answer takes a thirtieth of this.
    expect(Math.min(...unknown) / Math.min(...known)).toBeGreaterThan(0.6);
    expect(Math.min(...unknown) / Math.min(...known)).toBeLessThan(1.7);
  });
});

describe('createBasicAuth', () => {
  const users = new Map([
    ['cheap', '$2y$04$cheap'],
    ['dear', '$2y$12$dear'],
  ]);

  /** A checker for which the password is right when it is the name of the hash; it counts what it is asked. */
  function countingChecker() {
    const asked: { readonly client: string; readonly hash: string }[] = [];
    const checker: PasswordChecker = {
      check: async (client, { password, hash }) => {
        asked.push({ client, hash });
        return hash.endsWith(`$${password}`);
      },
      close: async () => undefined,
    };
    return { asked, auth: createBasicAuth(checker) };
  }

  const attempt = (user: string, password: string) => ({
    authorization: basic(user, password).Authorization,
    address: '192.0.2.1',
  });

  it('checks each password once, right or wrong, also when it is sent many times at once', async () => {
    const { asked, auth } = countingChecker();
    const [right, wrong] = [attempt('dear', 'dear'), attempt('dear', 'cheap')];
    const verdicts = await Promise.all([
      auth(right, users),
      auth(right, users),
      auth(wrong, users),
      auth(wrong, users),
    ]);
    expect(verdicts).toEqual(['granted', 'granted', 'refused', 'refused']);
    expect([auth(right, users), auth(wrong, users)]).toEqual(['granted', 'refused']);
    expect(asked).toHaveLength(2);
  });

  it('checks again when the hash has changed', async () => {
    const { auth } = countingChecker();
    expect(await auth(attempt('dear', 'dear'), users)).toBe('granted');
    expect(await auth(attempt('dear', 'dear'), new Map([['dear', '$2y$12$changed']]))).toBe('refused');
    expect(await auth(attempt('dear', 'dear'), new Map([['cheap', '$2y$04$cheap']]))).toBe('refused');
  });

  it('checks a name that does not exist against a hash that does, always the same, and never lets it in', async () => {
    const { asked, auth } = countingChecker();
    const strangers = Array.from({ length: 50 }, (_, nth) => `stranger ${nth}`);
    for (const stranger of strangers)
      for (const password of ['cheap', 'dear']) expect(await auth(attempt(stranger, password), users)).toBe('refused');
    const pairs = strangers.map((_, nth) => new Set(asked.slice(2 * nth, 2 * nth + 2).map(({ hash }) => hash)));
    expect(pairs.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(asked.map(({ hash }) => hash))).toEqual(new Set(users.values()));
  });

  it('does not forget who is right in a flood of those who are not', async () => {
    const { asked, auth } = countingChecker();
    await auth(attempt('dear', 'dear'), users);
    for (let nth = 0; nth < 3000; nth++) await auth(attempt('dear', `wrong ${nth}`), users);
    expect(asked).toHaveLength(3001);
    expect(auth(attempt('dear', 'dear'), users)).toBe('granted');
    expect(auth(attempt('dear', 'wrong 2999'), users)).toBe('refused');
    await auth(attempt('dear', 'wrong 0'), users);
    expect(asked).toHaveLength(3002);
  });

  it('does not remember that it was busy', async () => {
    const answers: (boolean | 'busy')[] = ['busy', true];
    const auth = createBasicAuth({ check: async () => answers.shift() ?? false, close: async () => undefined });
    expect(await auth(attempt('dear', 'dear'), users)).toBe('busy');
    expect(await auth(attempt('dear', 'dear'), users)).toBe('granted');
  });
});

describe('readCredentials', () => {
  it.each([
    [basic('a', 'b').Authorization, { user: 'a', password: 'b' }],
    [basic('a', 'b:c').Authorization, { user: 'a', password: 'b:c' }],
    [basic('', '').Authorization, { user: '', password: '' }],
    ['basic YTpi', { user: 'a', password: 'b' }],
    ['BASIC YTpi', { user: 'a', password: 'b' }],
    [undefined, undefined],
    ['', undefined],
    ['Basic', undefined],
    ['Basic ', undefined],
    ['Basic YTpi YTpi', undefined],
    ['Basic  YTpi', undefined],
    ['Basic YTp', undefined],
    ['Basic YTpi=', undefined],
    ['Basic YT*i', undefined],
    ['Basic YWI=', undefined],
    ['Bearer YTpi', undefined],
    ['Digest username="a"', undefined],
  ])('%s', (header, expected) => {
    expect(readCredentials(header)).toEqual(expected);
  });

  it('gives back what was encoded, and never throws', () => {
    const user = fc.string({ unit: 'grapheme' }).filter((name) => !name.includes(':'));
    fc.assert(
      fc.property(user, fc.string({ unit: 'grapheme' }), fc.string(), (name, password, junk) => {
        expect(readCredentials(basic(name, password).Authorization)).toEqual({ user: name, password });
        readCredentials(junk);
        readCredentials(`Basic ${junk}`);
      }),
    );
  });
});
