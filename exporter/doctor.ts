/** `node exporter/main.ts doctor`: what each GPU answers, what is missing and why, for people or as JSON. */

import { parseArgs } from 'node:util';
import type { Env } from './config/parse.ts';
import { runDoctor } from './source/nvml/doctor.ts';
import { examine, exitCodeOf, renderDoctor } from './source/nvml/doctor-text.ts';
import { inspectEnvironment } from './source/nvml/environment.ts';
import type { LibraryChoice } from './source/nvml/protocol.ts';

const usage = 'usage: doctor [--json] [--nvml-library PATH | --replay FILE]';

const options = {
  json: { type: 'boolean', default: false },
  'nvml-library': { type: 'string' },
  replay: { type: 'string' },
} as const;

/** Resolves to the exit code: 0 all is well, 1 something is wrong, 2 the command line was. */
export async function runDoctorCommand(env: Env, args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const values = readArgs(args);
  if (values instanceof Error) {
    process.stderr.write(`${values.message}\n${usage}\n`);
    return 2;
  }
  const library = libraryOf(env, values);
  const environment = inspectEnvironment({
    library: library.kind === 'library' ? library.path : undefined,
    libraryPath: env.LD_LIBRARY_PATH,
    uid: process.getuid?.(),
  });
  process.stdout.on('error', ignoreClosedReader);
  const examination = examine(environment, await runDoctor({ library }));
  process.stdout.write(values.json ? `${JSON.stringify(examination, undefined, 2)}\n` : renderDoctor(examination));
  return exitCodeOf(examination);
}

// Whoever reads only the first lines, such as head, has what it wants.
function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

function readArgs(args: readonly string[]): Values | Error {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function libraryOf(env: Env, values: Values): LibraryChoice {
  const { replay, 'nvml-library': path = env.NVML_LIBRARY || undefined } = values;
  return replay === undefined ? { kind: 'library', path } : { kind: 'replay', file: replay };
}
