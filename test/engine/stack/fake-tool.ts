/** A tool made of shell scripts, as it lies on PATH and as it is released. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tool } from '../../../engine/stack/tools.ts';

export const FAKE_PLATFORM = 'linux-test';

export function fakeTool(sha256: string): Tool {
  return {
    title: 'Faketool',
    main: { name: 'faketool' },
    companions: [{ name: 'fakectl' }],
    minimumVersion: '1.2.0',
    versionArguments: ['--version'],
    debianPackages: ['no-such-package-as-faketool'],
    release: { repository: 'faketool', version: '1.2.3', sha256: { [FAKE_PLATFORM]: sha256 } },
  };
}

/** Writes an executable script and returns its path. */
export function writeProgram(directory: string, name: string, script: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

export function writeFakeTool(directory: string, version: string): void {
  writeProgram(directory, 'faketool', `echo "faketool, version ${version} (branch: HEAD)"`);
  writeProgram(directory, 'fakectl', 'echo fakectl');
}

/** The release archive of the fake tool, laid out as Prometheus' own. */
export function releaseArchive(
  directory: string,
  version = '1.2.3',
): { readonly bytes: Buffer; readonly sha256: string } {
  const top = `faketool-1.2.3.${FAKE_PLATFORM}`;
  writeFakeTool(join(directory, top), version);
  const file = join(directory, 'release.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', directory, top]);
  const bytes = readFileSync(file);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
