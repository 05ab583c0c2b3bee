import { once } from 'node:events';
import { copyFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { describe, expect, it, type TestContext } from 'vitest';
import { openWebConfig } from '../../../exporter/web/config-file.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { certificatesFor } from './certificates.ts';
import { askHttp, askHttps, basic } from './https-client.ts';
import { serveWeb } from './web-server-under-test.ts';

const [old, fresh] = ['old', 'fresh'].map((password) => ({ sre: hashSync(password, 4) }));

/** A plain server with this configuration, and a way to write another one. */
async function servePlain(first: unknown) {
  const config = join(temporaryDirectory(), 'web.yml');
  const write = (content: unknown) =>
    writeFileSync(config, typeof content === 'string' ? content : JSON.stringify(content));
  write(first);
  const served = await serveWeb({ config });
  const statusFor = async (password: string) =>
    (await askHttp({ port: served.port, headers: basic('sre', password) })).status;
  return { ...served, config, write, statusFor };
}

/** A TLS server with a pair of its own in a directory of its own. */
async function serveTls(context: TestContext, tls: Readonly<Record<string, unknown>> = {}) {
  const certificates = certificatesFor(context);
  const directory = temporaryDirectory();
  const copy = (from: string, to: string) => copyFileSync(join(certificates.directory, from), join(directory, to));
  for (const name of ['ca.pem', 'other-ca.pem']) copy(name, name);
  copy('server.pem', 'tls.pem');
  copy('server.key', 'tls.key');
  const config = join(directory, 'web.yml');
  const write = (section: Readonly<Record<string, unknown>>) =>
    writeFileSync(
      config,
      JSON.stringify({ tls_server_config: { cert_file: 'tls.pem', key_file: 'tls.key', ...section } }),
    );
  write(tls);
  const served = await serveWeb({ config });
  return { ...served, certificates, directory, config, write, copy, ca: certificates.pem('ca.pem') };
}

type Tls = Awaited<ReturnType<typeof serveTls>>;

async function nameServed({ port, ca }: Tls): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(5000) });
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject;
}

describe('a changed web configuration file', () => {
  it('lets the new password in and the old one out, without a restart', async () => {
    const { write, statusFor, reloads } = await servePlain({ basic_auth_users: old });
    expect([await statusFor('old'), await statusFor('fresh')]).toEqual([200, 401]);
    write({ basic_auth_users: fresh });
    await expect.poll(() => statusFor('fresh')).toBe(200);
    expect(await statusFor('old')).toBe(401);
    expect(reloads).toEqual(['reloaded']);
  });

  it('counts also when another file is moved into its place', async () => {
    const { config, statusFor } = await servePlain({ basic_auth_users: old });
    writeFileSync(`${config}.new`, JSON.stringify({ basic_auth_users: fresh }));
    // A copy with its old times, as made by tools that keep them.
    utimesSync(`${config}.new`, 1, 1);
    renameSync(`${config}.new`, config);
    expect(await statusFor('fresh')).toBe(200);
  });

  it('sets and takes back headers', async () => {
    const { port, write } = await servePlain({ http_server_config: { headers: { 'X-Frame-Options': 'deny' } } });
    const header = async (name: string) => (await askHttp({ port })).headers[name];
    expect(await header('x-frame-options')).toBe('deny');
    write({ http_server_config: { headers: { 'X-Content-Type-Options': 'nosniff' } } });
    await expect.poll(() => header('x-content-type-options')).toBe('nosniff');
    expect(await header('x-frame-options')).toBeUndefined();
  });

  it.each([
    { what: 'is no YAML', text: '{', problem: /web\.yml:1:2: not YAML/ },
    { what: 'has no such key', text: 'basic_auth_user: {}', problem: /no key "basic_auth_user"/ },
    { what: 'has a bad hash', text: 'basic_auth_users: {sre: secret}', problem: /"sre" is not a bcrypt hash/ },
    { what: 'has become empty', text: ' \n', problem: /has become empty: write \{\} to mean that/ },
    {
      what: 'turns TLS on',
      text: 'tls_server_config: {client_auth_type: NoClientCert}',
      problem: /neither cert_file nor cert/,
    },
  ])('keeps what was in force when it $what', async ({ text, problem }) => {
    const { write, statusFor, reloads } = await servePlain({ basic_auth_users: old });
    write(text);
    await expect.poll(async () => (await statusFor('old')) === 200 && reloads.length).toBeGreaterThan(0);
    expect([await statusFor('old'), await statusFor('fresh')]).toEqual([200, 401]);
    expect(reloads.join('\n')).toMatch(problem);
    // The same broken file is not complained about again.
    const said = reloads.length;
    expect([await statusFor('old'), reloads.length]).toEqual([200, said]);
    write({ basic_auth_users: fresh });
    await expect.poll(() => statusFor('fresh')).toBe(200);
    expect(reloads.at(-1)).toBe('reloaded');
  });

  it('keeps what was in force when it is gone', async () => {
    const { config, statusFor, reloads } = await servePlain({ basic_auth_users: old });
    rmSync(config);
    expect([await statusFor('old'), await statusFor('fresh')]).toEqual([200, 401]);
    expect(reloads).toEqual([`The web configuration cannot be read: there is no file ${config}.`]);
  });

  it('opens the server when it says so in words', async () => {
    const { port, write } = await servePlain({ basic_auth_users: old });
    write('{}');
    await expect.poll(async () => (await askHttp({ port })).status).toBe(200);
  });
});

describe('a changed certificate', () => {
  it('is served to the next client', async (context) => {
    const server = await serveTls(context);
    expect(await nameServed(server)).toBe('CN=server');
    server.copy('renewed.pem', 'tls.pem');
    server.copy('renewed.key', 'tls.key');
    await expect.poll(() => nameServed(server)).toBe('CN=renewed');
  });

  it('waits for its key', async (context) => {
    const server = await serveTls(context);
    server.copy('renewed.pem', 'tls.pem');
    await expect.poll(async () => [await nameServed(server), server.reloads.length]).toEqual(['CN=server', 1]);
    expect(server.reloads[0]).toContain('the key is not the one of the certificate');
    server.copy('renewed.key', 'tls.key');
    await expect.poll(() => nameServed(server)).toBe('CN=renewed');
  });

  it('is found when it appears after the file that names it', async (context) => {
    const server = await serveTls(context);
    server.write({ cert_file: 'later.pem', key_file: 'later.key' });
    await expect.poll(async () => [await nameServed(server), server.reloads.length > 0]).toEqual(['CN=server', true]);
    server.copy('renewed.pem', 'later.pem');
    server.copy('renewed.key', 'later.key');
    await expect.poll(() => nameServed(server)).toBe('CN=renewed');
  });
});

describe('changed rules for clients', () => {
  const rules = { client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: 'ca.pem' };

  it('hold for new connections at once, and a connection from before gets one last answer', async (context) => {
    const server = await serveTls(context, rules);
    const { port, ca, certificates } = server;
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, ...certificates.client('client') });
    context.onTestFinished(() => agent.destroy());
    const ask = () => askHttps({ port, agent, headers: { Via: 'a proxy' } });
    const before = await ask();
    expect([before.headers.connection, JSON.parse(before.body).mayWrite]).toEqual(['keep-alive', true]);
    server.write({ ...rules, client_ca_file: 'other-ca.pem' });
    await expect
      .poll(() =>
        askHttps({ port, ca, ...certificates.client('stranger') }).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
    const last = await ask();
    expect([last.headers.connection, JSON.parse(last.body).mayWrite]).toEqual(['close', false]);
    await expect(ask()).rejects.toThrow();
  });

  it('leave connections alone when only something else changes', async (context) => {
    const server = await serveTls(context, rules);
    const { port, ca, certificates, config } = server;
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, ...certificates.client('client') });
    context.onTestFinished(() => agent.destroy());
    await askHttps({ port, agent });
    const tls_server_config = { cert_file: 'tls.pem', key_file: 'tls.key', ...rules };
    writeFileSync(
      config,
      JSON.stringify({ tls_server_config, http_server_config: { headers: { 'X-Frame-Options': 'deny' } } }),
    );
    await expect
      .poll(async () => (await askHttps({ port, agent })).headers)
      .toMatchObject({ 'x-frame-options': 'deny', connection: 'keep-alive' });
  });

  it('cannot turn TLS off', async (context) => {
    const server = await serveTls(context);
    writeFileSync(server.config, '{}');
    await expect
      .poll(async () => [await nameServed(server), server.reloads])
      .toEqual(['CN=server', [`${server.config} turns TLS off: restart the exporter for that.`]]);
  });
});

describe('openWebConfig', () => {
  it('takes a change when it is 100 ms old, for files are written in steps', () => {
    const path = join(temporaryDirectory(), 'web.yml');
    writeFileSync(path, JSON.stringify({ basic_auth_users: old }));
    let atMs = 0;
    const opened = openWebConfig(path, { now: () => atMs, onReload: () => undefined, onRefused: () => undefined });
    const hash = () => (opened.kind === 'opened' ? opened.file.settings().users.get('sre') : undefined);
    writeFileSync(path, `${JSON.stringify({ basic_auth_users: fresh })}\n`);
    const writtenAtMs = statSync(path).mtimeMs;
    const at = (ageMs: number) => {
      atMs = Math.floor(writtenAtMs) + ageMs;
      return hash();
    };
    expect([at(0), at(50), at(99)]).toEqual([old?.sre, old?.sre, old?.sre]);
    expect(at(100)).toBe(fresh?.sre);
  });

  it('takes a change dated in the future too: clocks differ', () => {
    const path = join(temporaryDirectory(), 'web.yml');
    writeFileSync(path, '{}');
    const opened = openWebConfig(path, { now: () => 0, onReload: () => undefined, onRefused: () => undefined });
    writeFileSync(path, JSON.stringify({ basic_auth_users: old }));
    expect(opened.kind === 'opened' && opened.file.settings().users.size).toBe(1);
  });
});
