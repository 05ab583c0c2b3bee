/** Finds the programs this project starts: on PATH, kept from before, as an official release, or as distribution packages. */
import { messageOf } from '../text/message-of.ts';
import { fetchDebianPackages } from './debian.ts';
import type { DownloadTimeouts } from './download.ts';
import type { InstalledTool } from './inspection.ts';
import { Refusal } from './refusal.ts';
import { fetchRelease } from './release.ts';
import { findOnPath } from './search-path.ts';
import { findKept } from './tool-store.ts';
import { type ToolName, toolNamed } from './tools.ts';
import { type Miss, missSentence, type WayOutcome } from './way.ts';

export interface FinderOptions {
  /** Usually `.tools`; what is fetched is kept there. */
  readonly toolsDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly releaseBaseUrl?: string;
  readonly platform?: string;
  readonly timeouts?: DownloadTimeouts;
  /** Hears what is about to take a while. */
  readonly onProgress?: (line: string) => void;
}

/** No way led to the tool; the message has one sentence per way. */
export class ToolMissing extends Refusal {
  override readonly name = 'ToolMissing';
  readonly misses: readonly Miss[];

  constructor(title: string, misses: readonly Miss[]) {
    super([`${title} could not be found or fetched.`, ...misses.map((miss) => `  ${missSentence(miss)}`)]);
    this.misses = misses;
  }
}

/** A copy that needs no fetching: on PATH or kept from before; a miss speaks of PATH. */
export async function findInstalledTool(name: ToolName, { toolsDir, env }: FinderOptions): Promise<WayOutcome> {
  const tool = toolNamed(name);
  const onPath = await findOnPath(tool, env.PATH ?? '');
  if (onPath.kind === 'found') return onPath;
  const kept = await findKept(tool, toolsDir);
  return kept.kind === 'found' ? kept : onPath;
}

/** The first usable copy of a tool, fetched when there is none. Throws ToolMissing. */
export async function findTool(name: ToolName, options: FinderOptions): Promise<InstalledTool> {
  const misses: Miss[] = [];
  for (const way of ways(name, options)) {
    const outcome = await attempt(way);
    if (outcome.kind === 'found') return outcome.tool;
    misses.push(outcome);
  }
  throw new ToolMissing(toolNamed(name).title, misses);
}

interface Way {
  readonly label: string;
  readonly follow: () => Promise<WayOutcome>;
}

function ways(name: ToolName, options: FinderOptions): readonly Way[] {
  const tool = toolNamed(name);
  const { toolsDir, env, timeouts, onProgress } = options;
  const release = {
    toolsDir,
    ...(options.releaseBaseUrl !== undefined && { baseUrl: options.releaseBaseUrl }),
    ...(options.platform !== undefined && { platform: options.platform }),
    ...(timeouts && { timeouts }),
  };
  return [
    { label: 'PATH', follow: () => findOnPath(tool, env.PATH ?? '') },
    { label: toolsDir, follow: () => findKept(tool, toolsDir) },
    {
      label: 'official release',
      follow: () => {
        onProgress?.(`${tool.title} is not on this machine: fetching its official release`);
        return fetchRelease(tool, release);
      },
    },
    {
      label: 'distribution packages',
      follow: () => {
        onProgress?.(`no release of ${tool.title} can be had: fetching the distribution's package`);
        return fetchDebianPackages(tool, { toolsDir, env });
      },
    },
  ];
}

/** A full disk or a read-only directory spoils one way, not the ones after it. */
async function attempt(way: Way): Promise<WayOutcome> {
  try {
    return await way.follow();
  } catch (error) {
    const reason = messageOf(error);
    return { kind: 'missed', way: way.label, reason, fix: 'check that TOOLS_DIR names a directory you may write' };
  }
}
