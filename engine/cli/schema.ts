import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { policyJsonSchema } from '../policy/json-schema.ts';
import type { Command, CommandIo } from './command.ts';

/** `gpu-uptime schema`: generates what editors know about policy files. */
export const schema: Command = {
  name: 'schema',
  summary: 'write the JSON Schema of policy files',
  usage: `gpu-uptime schema [FILE]

Writes the JSON Schema that editors complete and check policy files with (default: rules/policy.schema.json).
FILE may be - for standard output.`,
  run,
};

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const [file = 'rules/policy.schema.json'] = positionals;
  if (file === '-') io.out(policyJsonSchema().trimEnd());
  else {
    await writeFile(resolve(io.cwd, file), policyJsonSchema());
    io.out(`wrote ${file}`);
  }
  return 0;
}
