import { readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DownloadTimeouts } from '../../../engine/stack/download.ts';
import { fetchRelease } from '../../../engine/stack/release.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { FAKE_PLATFORM, fakeTool, releaseArchive } from './fake-tool.ts';

const TIMEOUTS: DownloadTimeouts = { connectMs: 500, answerMs: 500, silenceMs: 1_000, totalMs: 10_000 };
const FILE = '/faketool/releases/download/v1.2.3/faketool-1.2.3.linux-test.tar.gz';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetchFrom(baseUrl: string, sha256: string, toolsDir = temporaryDirectory()) {
  return fetchRelease(fakeTool(sha256), { toolsDir, baseUrl, platform: FAKE_PLATFORM, timeouts: TIMEOUTS });
}

describe('fetchRelease', () => {
  it('keeps a release whose checksum is right', async () => {
    const { bytes, sha256 } = releaseArchive(temporaryDirectory());
    const asked: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      asked.push(request.url);
      response.end(bytes);
    });
    const toolsDir = temporaryDirectory();
    const kept = join(toolsDir, 'faketool-1.2.3');
    expect(await fetchFrom(base, sha256, toolsDir)).toEqual({
      kind: 'found',
      tool: {
        title: 'Faketool',
        version: '1.2.3',
        programs: { faketool: join(kept, 'faketool'), fakectl: join(kept, 'fakectl') },
      },
    });
    expect(asked).toEqual([FILE]);
    expect(readdirSync(toolsDir)).toEqual(['faketool-1.2.3']);
  });

  it('throws away a file with another checksum before unpacking it', async () => {
    const { bytes, sha256 } = releaseArchive(temporaryDirectory());
    const base = await serve((_request, response) => response.end(bytes));
    const toolsDir = temporaryDirectory();
    const wanted = '0'.repeat(64);
    expect(await fetchFrom(base, wanted, toolsDir)).toMatchObject({
      kind: 'missed',
      reason: `the downloaded file has SHA-256 ${sha256} and not ${wanted}, so it was thrown away`,
    });
    expect(readdirSync(toolsDir)).toEqual([]);
  });

  it('notices a body that ends early', async () => {
    const { bytes, sha256 } = releaseArchive(temporaryDirectory());
    const base = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 100), () => response.destroy());
    });
    const toolsDir = temporaryDirectory();
    const outcome = await fetchFrom(base, sha256, toolsDir);
    expect(outcome).toMatchObject({ kind: 'missed', reason: expect.stringContaining('broke off') });
    expect(readdirSync(toolsDir)).toEqual([]);
  });

  it('gives up on a body that stalls', async () => {
    const base = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('x');
    });
    const outcome = await fetchFrom(base, '0');
    expect(outcome).toMatchObject({ reason: `${base}${FILE} sent nothing for 1 s in the middle of the file` });
  });

  it('gives up on a server that accepts and stays silent', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const before = Date.now();
    expect(await fetchFrom(base, '0')).toMatchObject({ reason: `${base}${FILE} did not answer within 0.5 s` });
    expect(Date.now() - before).toBeLessThan(3_000);
  });

  it('says that a closed port refused, an unknown name does not resolve, and a missing file is missing', async () => {
    const base = await serve((_request, response) => void response.writeHead(404).end());
    const closed = 'http://127.0.0.1:2';
    const unknown = 'http://release.invalid';
    expect(await fetchFrom(base, '0')).toMatchObject({ reason: `${base}${FILE} answered HTTP 404` });
    expect(await fetchFrom(closed, '0')).toMatchObject({ reason: `${closed}${FILE} refused the connection` });
    expect(await fetchFrom(unknown, '0')).toMatchObject({
      reason: `${unknown}${FILE} cannot be reached, its name does not resolve`,
    });
  });

  it('does not fetch what it cannot verify', async () => {
    const outcome = await fetchRelease(fakeTool('0'), { toolsDir: temporaryDirectory(), platform: 'plan9-mips' });
    expect(outcome).toEqual({
      kind: 'missed',
      way: 'official release',
      reason: 'no release of Faketool with a verified checksum is known for plan9-mips',
      fix: 'install it with the package manager of this system',
    });
  });

  it('lets two starts fetch at once', async () => {
    const { bytes, sha256 } = releaseArchive(temporaryDirectory());
    const base = await serve((_request, response) => response.end(bytes));
    const toolsDir = temporaryDirectory();
    const outcomes = await Promise.all([1, 2, 3].map(() => fetchFrom(base, sha256, toolsDir)));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['found', 'found', 'found']);
    expect(readdirSync(toolsDir)).toEqual(['faketool-1.2.3']);
  });

  it('replaces a kept copy that no longer works', async () => {
    const { bytes, sha256 } = releaseArchive(temporaryDirectory());
    const base = await serve((_request, response) => response.end(bytes));
    const toolsDir = temporaryDirectory();
    await fetchFrom(base, sha256, toolsDir);
    rmSync(join(toolsDir, 'faketool-1.2.3/fakectl'));
    expect(await fetchFrom(base, sha256, toolsDir)).toMatchObject({ kind: 'found' });
  });
});
