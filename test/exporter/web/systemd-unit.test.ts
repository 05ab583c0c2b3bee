import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../exporter/config/parse.ts';
import { settings } from '../../../exporter/config/settings.ts';
import { ROOT } from '../../servers/server.ts';
import { requireProgram } from './program.ts';

const directory = join(ROOT, 'exporter/systemd');
const unitFile = join(directory, 'gpu-uptime-exporter.service');
const unit = readFileSync(unitFile, 'utf8');
const example = readFileSync(join(directory, 'exporter.env'), 'utf8');

const valuesOf = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
const envOf = (lines: readonly string[]) => Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));

const unitEnv: Record<string, string> = envOf(valuesOf('Environment').map((line) => line.replace('%S', '/var/lib')));
const exampleLines = [...example.matchAll(/^#?(?<line>[A-Z_]+=.*)$/gm)].map(({ groups }) => groups?.line ?? '');

describe('gpu-uptime-exporter.service', () => {
  it('is one that systemd takes without a complaint', async (context) => {
    const analyze = requireProgram(context, 'systemd-analyze');
    const { stdout, stderr } = await promisify(execFile)(analyze, ['verify', unitFile]);
    expect(stdout + stderr).toBe('');
  });

  it('leaves the process little to reach: an exposure of at most 2.0 of 10', async (context) => {
    const analyze = requireProgram(context, 'systemd-analyze');
    const { stdout } = await promisify(execFile)(analyze, ['security', '--offline=yes', '--threshold=20', unitFile]);
    expect(stdout).toMatch(/Overall exposure level for gpu-uptime-exporter.service: [01]\.\d|: 2\.0/);
  });

  it('starts what the repository has, from where it says it lies', () => {
    const [root = ''] = valuesOf('WorkingDirectory');
    const [documentation = ''] = valuesOf('Documentation');
    expect(valuesOf('ExecStart')).toEqual(['/usr/bin/env node --no-concurrent-recompilation exporter/main.ts']);
    const named = ['exporter/main.ts', documentation.replace(`file://${root}/`, '')];
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(unitEnv.PATH?.split(':')[0]).toBe(`${root}/node_modules/.bin`);
  });

  it('sets only what the exporter knows, with values that it takes', () => {
    const known = Object.values(settings).map(({ env }) => env);
    const names = Object.keys({ ...unitEnv, ...envOf(exampleLines) });
    expect(names.filter((name) => ![...known, 'PATH', 'NODE_ENV'].includes(name))).toEqual([]);
    expect(parseConfig(unitEnv, [])).toMatchObject({ kind: 'run', config: { source: 'nvml' } });
    expect(parseConfig({ ...unitEnv, ...envOf(exampleLines) }, [])).toMatchObject({ kind: 'run' });
  });

  it('writes into its state directory only', () => {
    const [state = ''] = valuesOf('StateDirectory');
    const written = ['EXPORTER_STATE_FILE', 'AGENT_CHECKPOINT_FILE'].map((name) => unitEnv[name]);
    expect(written.filter((path) => !path?.startsWith(`/var/lib/${state}/`))).toEqual([]);
    expect(valuesOf('ProtectSystem')).toEqual(['strict']);
  });

  it('reaches the devices of the driver, and leaves V8 its machine code', () => {
    expect([valuesOf('PrivateDevices'), valuesOf('DevicePolicy'), valuesOf('DeviceAllow')]).toEqual([
      ['no'],
      ['closed'],
      ['char-195 rw', 'char-nvidia-caps r'],
    ]);
    expect(valuesOf('MemoryDenyWriteExecute')).toEqual(['no']);
  });

  it('runs as the user that the sysusers file makes', () => {
    const sysusers = readFileSync(join(directory, 'gpu-uptime-exporter.sysusers.conf'), 'utf8');
    const [, user] = /^u (\S+) /m.exec(sysusers) ?? [];
    expect([valuesOf('User'), valuesOf('Group')]).toEqual([[user], [user]]);
  });
});

describe('exporter.env', () => {
  it('shows the defaults where a line is commented out', () => {
    const fallbacks: Readonly<Record<string, string>> = Object.fromEntries(
      Object.values(settings).map(({ env, fallback }) => [env, fallback]),
    );
    const commented = [...example.matchAll(/^#(?<name>[A-Z_]+)=(?<value>.*)$/gm)].map(({ groups }) => groups);
    const wrong = commented.filter((line) => line?.value !== (fallbacks[line?.name ?? ''] || line?.value));
    expect(wrong).toEqual([]);
    expect(commented.length).toBeGreaterThan(3);
  });
});
