import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findTool, ToolMissing } from '../../../engine/stack/binaries.ts';
import type { InstalledTool } from '../../../engine/stack/inspection.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';
import { writeProgram } from './fake-tool.ts';

const CLOSED_PORT = 'http://127.0.0.1:2';
const NOBODY = 65_534;
const HAS_APT = existsSync('/usr/bin/apt-get');
const FIND_TOOL = fileURLToPath(import.meta.resolve('./find-tool.ts'));

const ALL_TOOLS = ['prometheus', 'promtool', 'prometheus-alertmanager', 'alertmanager', 'amtool', 'caddy', 'nginx'];

/** A PATH with everything of this system except the tools themselves: apt checks signatures with several programs. */
function pathWithoutTools(): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  for (const program of readdirSync('/usr/bin')) {
    if (!ALL_TOOLS.includes(program)) symlinkSync(join('/usr/bin', program), join(directory, program));
  }
  return directory;
}

/** An apt configuration whose only source is `url`. */
function aptSource(url: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'sources.list'), `deb [trusted=yes] ${url} stable main\n`);
  const config = `Dir::Etc::sourcelist "${directory}/sources.list";\nDir::Etc::sourceparts "-";\n`;
  writeFileSync(join(directory, 'apt.conf'), config);
  return join(directory, 'apt.conf');
}

async function messageOf(search: Promise<InstalledTool>): Promise<string> {
  const error = await search.catch((reason: unknown) => reason);
  if (!(error instanceof ToolMissing)) throw new Error('the tool was found');
  return error.message;
}

describe('findTool', () => {
  it('prefers PATH', async () => {
    const directory = temporaryDirectory();
    writeProgram(directory, 'prometheus', 'echo "prometheus, version 3.0.0"');
    writeProgram(directory, 'promtool', 'echo promtool');
    const tool = await findTool('prometheus', { toolsDir: '/nowhere', env: { PATH: directory } });
    expect(tool.programs).toEqual({ prometheus: join(directory, 'prometheus'), promtool: join(directory, 'promtool') });
  });

  it("knows Debian's name for Alertmanager", async () => {
    const directory = temporaryDirectory();
    const program = writeProgram(directory, 'prometheus-alertmanager', 'echo "alertmanager, version 0.25.0"');
    writeProgram(directory, 'amtool', 'echo amtool');
    const tool = await findTool('alertmanager', { toolsDir: '/nowhere', env: { PATH: directory } });
    expect(tool).toMatchObject({ title: 'Alertmanager', version: '0.25.0', programs: { alertmanager: program } });
  });

  it('uses what an earlier start kept', async () => {
    const toolsDir = temporaryDirectory();
    writeProgram(join(toolsDir, 'prometheus-debian/usr/bin'), 'prometheus', 'echo "prometheus, version 2.53.0"');
    writeProgram(join(toolsDir, 'prometheus-debian/usr/bin'), 'promtool', 'echo promtool');
    const tool = await findTool('prometheus', { toolsDir, env: { PATH: '' } });
    expect(tool.version).toBe('2.53.0');
  });

  it('says in one sentence per way what was tried, why it failed and what to do', async () => {
    const toolsDir = temporaryDirectory();
    const search = findTool('prometheus', {
      toolsDir,
      env: { PATH: '' },
      releaseBaseUrl: CLOSED_PORT,
      platform: 'linux-amd64',
    });
    const file = '/prometheus/releases/download/v3.5.0/prometheus-3.5.0.linux-amd64.tar.gz';
    expect(await messageOf(search)).toBe(
      [
        'Prometheus could not be found or fetched.',
        '  PATH: no program named prometheus is there; install Prometheus 2.42.0 or newer, or add its directory to PATH.',
        `  ${toolsDir}: no program named prometheus is there; nothing to do here, a later start finds what this one fetches.`,
        `  official release: ${CLOSED_PORT}${file} refused the connection; check the network, or put the programs on PATH yourself.`,
        '  distribution packages: apt-get could not be started (spawn apt-get ENOENT); this way needs Debian, Ubuntu or a relative of theirs.',
      ].join('\n'),
    );
  });

  it('blames a tools directory that cannot be written, and nothing hangs', async () => {
    const search = findTool('prometheus', { toolsDir: '/dev/null/tools', env: { PATH: '' }, platform: 'linux-amd64' });
    expect(await messageOf(search)).toContain('check that TOOLS_DIR names a directory you may write');
  });
});

describe.runIf(HAS_APT)('findTool with packages of the distribution', () => {
  it('fetches and unpacks them as an ordinary user, with no lists of its own to begin with', {
    timeout: 120_000,
  }, () => {
    const toolsDir = temporaryDirectory();
    const asRoot = process.getuid?.() === 0;
    if (asRoot) chownSync(toolsDir, NOBODY, NOBODY);
    const found = spawnSync(process.execPath, [FIND_TOOL, 'alertmanager', toolsDir, CLOSED_PORT], {
      env: { PATH: pathWithoutTools() },
      encoding: 'utf8',
      ...(asRoot && { uid: NOBODY, gid: NOBODY }),
    });
    expect(found.stderr).toBe('');
    const tool: InstalledTool = JSON.parse(found.stdout);
    const bin = join(toolsDir, 'alertmanager-debian/usr/bin');
    expect(tool.programs).toEqual({ alertmanager: join(bin, 'prometheus-alertmanager'), amtool: join(bin, 'amtool') });
    expect(readdirSync(toolsDir)).toEqual(['alertmanager-debian']);
  });

  it('quotes apt when its sources are out of reach', { timeout: 60_000 }, async () => {
    const env = { PATH: pathWithoutTools(), APT_CONFIG: aptSource(CLOSED_PORT) };
    const search = findTool('caddy', { toolsDir: temporaryDirectory(), env });
    expect(await messageOf(search)).toMatch(
      /distribution packages: apt-get ended with exit code 100 \(.*caddy.*\), after its update said: .+; check the network/,
    );
  });

  it('gives up within seconds on a package server that never answers', { timeout: 60_000 }, async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const env = { PATH: pathWithoutTools(), APT_CONFIG: aptSource(`http://127.0.0.1:${port}`) };
    const before = Date.now();
    expect(await messageOf(findTool('caddy', { toolsDir: temporaryDirectory(), env }))).toContain('check the network');
    expect(Date.now() - before).toBeLessThan(20_000);
  });
});
