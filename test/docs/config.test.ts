import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { config, withSettings } from '../../engine/cli/config.ts';
import { SETTINGS } from '../../engine/config.ts';
import { ENVIRONMENT } from '../../engine/policy/environment.ts';
import { readDocument } from './documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpu-uptime-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env: {}, cwd: folder };
  return { code: await config.run(args, io), out: out.join('\n'), err: err.join('\n') };
}

describe('the settings in README.md', () => {
  it('are those of the code', () => {
    const { text } = readDocument('README.md');
    expect(withSettings(text), 'write them anew: npm run gpu-uptime -- config --write README.md').toBe(text);
  });
});

describe('gpu-uptime config', () => {
  it('prints every setting and variable, whatever the environment says', async () => {
    const { code, out, err } = await run([]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const names = [...SETTINGS.map(({ env }) => env), ...ENVIRONMENT.map(({ name }) => name)];
    expect(names.filter((name) => !out.includes(`| \`${name}\` `))).toEqual([]);
    expect(out).toMatch(/^EXPORTER_PORT, PROMETHEUS_PORT, ALERTMANAGER_PORT, ENGINE_PORT, NOTIFICATIONS_PORT$/m);
  });

  it('shows the default that is in effect, not the one of the source documents', async () => {
    const { out } = await run([]);
    expect(out).toMatch(/\| `GPU_PERSISTENCE_FILE` +\| `persistence_file` +\| unset /);
    expect(out).toMatch(/\| `GPU_SHORT_TERM_WINDOW` +\| `windows.short.range` +\| `5m` +\| s /);
  });

  it('replaces what is between the markers and leaves the rest', async () => {
    const file = join(folder, 'some.md');
    const marked = (inner: string) =>
      `before\n<!-- generated: npm run gpu-uptime -- config --write README.md -->${inner}<!-- end of generated -->\nafter\n`;
    writeFileSync(file, marked('old'));
    expect(await run(['--write', 'some.md'])).toEqual({ code: 0, out: 'wrote the settings into some.md', err: '' });
    const { out } = await run([]);
    expect(readFileSync(file, 'utf8')).toBe(marked(`\n\n${out}\n\n`));
  });

  it('changes nothing in a file without markers, and says what it lacks', async () => {
    writeFileSync(join(folder, 'plain.md'), 'text\n');
    const { code, err } = await run(['--write', 'plain.md']);
    expect(code).toBe(1);
    expect(err).toMatch(/^gpu-uptime config: plain\.md lacks the lines <!-- generated: .+ --> and <!-- .+ -->$/);
    expect(readFileSync(join(folder, 'plain.md'), 'utf8')).toBe('text\n');
  });

  it('says when a file cannot be read', async () => {
    expect(await run(['--write', 'absent.md'])).toEqual({
      code: 1,
      out: '',
      err: 'gpu-uptime config: absent.md cannot be read',
    });
  });
});
