/** `gpu-uptime doctor`: asks the exporter of this checkout what each GPU of this machine answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Command, CommandIo } from './command.ts';

const EXPORTER = fileURLToPath(new URL('../../exporter/main.ts', import.meta.url));
const LONGEST_RUN_MS = 60_000;

export const doctor: Command = {
  name: 'doctor',
  summary: 'show what each GPU of this machine answers, what is missing and why',
  usage: `gpu-uptime doctor [--json] [--nvml-library PATH | --replay FILE]

Asks every GPU every question that the exporter would ask, and looks at the driver, the device files and its own rights.
The exit code is 0 when all that is needed is there, and 1 when something is missing.

  --json          the same for programs
  --nvml-library  libnvidia-ml.so.1, where the loader does not find it
  --replay        a recording of NVML's answers instead of the driver`,
  run,
};

/** The exporter is a program of its own: exit code and texts are its. */
async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const signal = AbortSignal.timeout(LONGEST_RUN_MS);
  const child = spawn(process.execPath, [EXPORTER, 'doctor', ...args], {
    cwd: io.cwd,
    env: { ...io.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  // An abort is told by the exit code that is then missing.
  child.on('error', () => undefined);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (out !== '') io.out(out.trimEnd());
  if (err !== '') io.err(err.trimEnd());
  if (signal.aborted)
    io.err(`gpu-uptime doctor: no answer within ${LONGEST_RUN_MS / 1000} s; the driver may be wedged`);
  return typeof code === 'number' ? code : 1;
}
