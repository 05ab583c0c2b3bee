/** Third way to a tool: its pinned official release. */
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { DOWNLOAD_TIMEOUTS, type DownloadTimeouts, download } from './download.ts';
import { keepTool, withScratch } from './tool-store.ts';
import type { Release, Tool } from './tools.ts';
import type { Miss, WayOutcome } from './way.ts';

const UNPACK_TIMEOUT_MS = 120_000;

export interface ReleaseOptions {
  readonly toolsDir: string;
  /** Where the project publishes, `https://github.com/prometheus` unless a mirror or a test says otherwise. */
  readonly baseUrl?: string;
  /** `linux-amd64`, as release files are named. */
  readonly platform?: string;
  readonly timeouts?: DownloadTimeouts;
}

/** Downloads the release, compares its SHA-256 before anything is unpacked, and keeps it in the store. */
export async function fetchRelease(tool: Tool, options: ReleaseOptions): Promise<WayOutcome> {
  const platform = options.platform ?? thisPlatform();
  const sha256 = tool.release?.sha256[platform];
  if (!tool.release || sha256 === undefined) {
    return missed(
      `no release of ${tool.title} with a verified checksum is known for ${platform}`,
      'install it with the package manager of this system',
    );
  }
  const archive: Archive = { tool, release: tool.release, platform, sha256 };
  return withScratch(options.toolsDir, (scratch) => fetchInto(scratch, archive, options));
}

interface Archive {
  readonly tool: Tool;
  readonly release: Release;
  readonly platform: string;
  readonly sha256: string;
}

async function fetchInto(scratch: string, archive: Archive, options: ReleaseOptions): Promise<WayOutcome> {
  const file = join(scratch, 'archive.tar.gz');
  const fetched = await download(archiveUrl(archive, options.baseUrl), file, options.timeouts ?? DOWNLOAD_TIMEOUTS);
  if (fetched.kind === 'failed')
    return missed(fetched.reason, 'check the network, or put the programs on PATH yourself');
  if (fetched.sha256 !== archive.sha256) {
    return missed(
      `the downloaded file has SHA-256 ${fetched.sha256} and not ${archive.sha256}, so it was thrown away`,
      'try again, and if it stays so ask who runs your network',
    );
  }
  const unpacked = await runCommand('tar', ['-xzf', file, '-C', scratch], { timeoutMs: UNPACK_TIMEOUT_MS });
  if (!unpacked.ok) return missed(`tar ${unpacked.problem}`, 'install tar and check that the disk is not full');
  return keep(scratch, archive, options.toolsDir);
}

async function keep(scratch: string, { tool, release, platform }: Archive, toolsDir: string): Promise<WayOutcome> {
  const name = `${release.repository}-${release.version}`;
  const kept = await keepTool(tool, join(scratch, `${name}.${platform}`), join(toolsDir, name));
  return kept.kind === 'usable'
    ? { kind: 'found', tool: kept.tool }
    : missed(kept.reason, 'put the programs on PATH yourself');
}

function archiveUrl({ release, platform }: Archive, baseUrl = 'https://github.com/prometheus'): string {
  const { repository, version } = release;
  return `${baseUrl}/${repository}/releases/download/v${version}/${repository}-${version}.${platform}.tar.gz`;
}

/** Go's names for what Node calls `x64`. */
function thisPlatform(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

function missed(reason: string, fix: string): Miss {
  return { kind: 'missed', way: 'official release', reason, fix };
}
