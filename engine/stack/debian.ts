/** Last way to a tool: the distribution's packages, downloaded and unpacked without root and without installing anything. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, runCommand } from './command.ts';
import { keepTool, withScratch } from './tool-store.ts';
import type { Tool } from './tools.ts';
import type { Miss, WayOutcome } from './way.ts';

const UPDATE_TIMEOUT_MS = 90_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
const UNPACK_TIMEOUT_MS = 60_000;

export interface DebianOptions {
  readonly toolsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Fetches the tool's packages with an apt that keeps its lists and cache in the store, and unpacks them there. */
export async function fetchDebianPackages(tool: Tool, options: DebianOptions): Promise<WayOutcome> {
  for (const program of ['apt-get', 'dpkg-deb']) {
    const there = await runCommand(program, ['--version'], { timeoutMs: 10_000, env: options.env });
    if (!there.ok)
      return missed(`${program} ${there.problem}`, 'this way needs Debian, Ubuntu or a relative of theirs');
  }
  return withScratch(options.toolsDir, (scratch) => fetchInto(scratch, tool, options));
}

async function fetchInto(scratch: string, tool: Tool, { toolsDir, env }: DebianOptions): Promise<WayOutcome> {
  const packages = join(scratch, 'packages');
  const fetched = await downloadPackages(scratch, packages, tool, env);
  if (!fetched.ok)
    return missed(`apt-get ${fetched.problem}`, `check the network and the package sources of this system`);
  const root = join(scratch, 'root');
  for (const file of await readdir(packages)) {
    const unpacked = await runCommand('dpkg-deb', ['-x', join(packages, file), root], {
      timeoutMs: UNPACK_TIMEOUT_MS,
      env,
    });
    if (!unpacked.ok) return missed(`dpkg-deb ${unpacked.problem}`, 'check that the disk is not full');
  }
  const kept = await keepTool(tool, root, join(toolsDir, `${tool.main.name}-debian`));
  if (kept.kind === 'usable') return { kind: 'found', tool: kept.tool };
  return missed(
    `the packaged program cannot be used: ${kept.reason}`,
    `install ${tool.title} ${tool.minimumVersion} or newer yourself`,
  );
}

async function downloadPackages(
  scratch: string,
  packages: string,
  tool: Tool,
  env: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const apt = join(scratch, 'apt');
  for (const directory of ['state/lists/partial', 'cache/archives/partial', 'log']) {
    await mkdir(join(apt, directory), { recursive: true });
  }
  await mkdir(packages);
  const configFile = join(apt, 'apt.conf');
  await writeFile(configFile, aptConfig(apt));
  // One unreachable third-party source must not stop the others: whether the lists suffice shows in the download.
  const update = await runCommand('apt-get', ['-c', configFile, 'update'], { timeoutMs: UPDATE_TIMEOUT_MS, env });
  const args = ['-c', configFile, 'download', ...tool.debianPackages];
  const fetched = await runCommand('apt-get', args, { timeoutMs: DOWNLOAD_TIMEOUT_MS, cwd: packages, env });
  return fetched.ok ? fetched : { ...fetched, problem: `${fetched.problem}${firstError(update.output)}` };
}

/** Read after the system's own apt configuration, which keeps its proxies and keys; only state moves to the store. */
function aptConfig(apt: string): string {
  return `
Dir::State "${apt}/state";
Dir::Cache "${apt}/cache";
Dir::Log "${apt}/log";
// Root would otherwise drop to a user that may not enter this directory.
APT::Sandbox::User "root";
Acquire::Retries "0";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
// The system's hooks refresh system caches, which an ordinary user may not write.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`;
}

function firstError(output: string): string {
  const line = output.split('\n').find((text) => /^[EW]: /.test(text));
  return line === undefined ? '' : `, after its update said: ${line.trim()}`;
}

function missed(reason: string, fix: string): Miss {
  return { kind: 'missed', way: 'distribution packages', reason, fix };
}
