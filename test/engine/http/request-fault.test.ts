/** Requests that cannot even be read. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { REGISTRATION } from '../ping/registry-fixtures.ts';
import { servePings } from './ping-serving.ts';

const REGISTER = 'POST /ping-system/agents/register';
const UNPACKED = 'the body cannot be decompressed: send what content-encoding says, or no such header';

describe('a body', () => {
  it.each([
    ['gzip', 400, UNPACKED],
    ['deflate', 400, UNPACKED],
    ['br', 400, UNPACKED],
    ['zstd', 400, UNPACKED],
    ['compress', 415, 'the body is compressed in a way that is not read: send it as it is, or with gzip'],
  ])('that is not the %s that it says is refused in words', async (encoding, status, detail) => {
    const { ask } = await servePings();
    const asking = { body: 'no such thing', headers: { 'content-encoding': encoding } };
    expect(await ask(REGISTER, asking)).toMatchObject({ status, body: { status, detail } });
  });

  it('that breaks off within its compression is refused, a whole one is read', async () => {
    const { url } = await servePings();
    const packed = gzipSync(JSON.stringify(REGISTRATION));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const send = (body: Buffer) =>
      fetch(`${url}/ping-system/agents/register`, { method: 'POST', headers, body: new Uint8Array(body) });
    const half = await send(packed.subarray(0, 30));
    expect([half.status, await half.json()]).toMatchObject([400, { detail: UNPACKED }]);
    expect((await send(packed)).status).toBe(201);
  });

  it('in a charset that nobody reads is refused in words', async () => {
    const { ask } = await servePings();
    const headers = { 'content-type': 'application/json; charset=klingon' };
    const detail = 'the body is in a charset that is not read: send UTF-8';
    expect(await ask(REGISTER, { body: '{}', headers })).toMatchObject({ status: 415, body: { detail } });
  });
});

describe('a path that cannot be decoded', () => {
  const detail =
    'the path contains a % that no character follows in UTF-8: write such characters as %E2%82%AC, and % itself as %25';

  it.each([
    'GET /ping-system/agents/%ff',
    'PUT /ping-system/agents/%ff',
    'GET /rules/%',
    'DELETE /api/v1/holds/%E2%82',
  ])('%s is refused in words', async (request) => {
    const { ask } = await servePings();
    expect(await ask(request)).toMatchObject({ status: 400, body: { detail } });
  });

  it('is refused in the form of Prometheus where its clients ask', async () => {
    const { ask } = await servePings();
    const { status, body } = await ask('GET /api/v1/label/%ff/values');
    expect([status, body]).toEqual([400, { status: 'error', errorType: 'bad_data', error: detail }]);
  });
});
