/** The command line: finds the command, explains it, turns outcomes into exit codes. */
import { nearestName } from '../policy/nearest-name.ts';
import type { Command, CommandIo } from './command.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';

const USAGE_ERROR = 2;

/** Runs `gpu-uptime` with its arguments (without node and script); resolves to the exit code. */
export async function main(args: readonly string[], io: CommandIo, commands = COMMANDS): Promise<number> {
  const [name, ...rest] = args;
  const isAskingForHelp = name === undefined || isHelp(name) || name === 'help';
  const topic = isAskingForHelp ? rest.find((argument) => !isHelp(argument)) : name;
  if (topic === undefined) return overview(io, commands);
  const entry = commands.find((candidate) => candidate.name === topic);
  if (entry === undefined) return unknownCommand(topic, io, commands);
  const command = await entry.load();
  if (!isAskingForHelp && !rest.some(isHelp)) return runCommand(command, rest, io);
  io.out(`usage: ${command.usage}`);
  return 0;
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

async function runCommand(command: Command, args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await command.run(args, io);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    // parseArgs appends advice about "--" that no command here needs.
    io.err(`gpu-uptime ${command.name}: ${error.message.replace(/\. To specify.*/s, '')}\n\nusage: ${command.usage}`);
    return USAGE_ERROR;
  }
}

/** What node:util's parseArgs throws for unknown options and missing values. */
function isUsageError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

async function overview(io: CommandIo, entries: readonly CommandEntry[]): Promise<number> {
  const commands = await Promise.all(entries.map(({ load }) => load()));
  const width = Math.max(...commands.map(({ name }) => name.length));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  const synopsis = 'usage: gpu-uptime COMMAND [ARGUMENTS]';
  io.out([synopsis, '', ...rows, '', 'gpu-uptime COMMAND --help explains a command.'].join('\n'));
  return 0;
}

function unknownCommand(name: string, io: CommandIo, entries: readonly CommandEntry[]): number {
  const names = entries.map((entry) => entry.name);
  const near = nearestName(name, names);
  const hint = near === undefined ? `the commands are ${names.join(', ')}` : `did you mean "${near}"?`;
  io.err(`gpu-uptime: unknown command "${name}"; ${hint}`);
  return USAGE_ERROR;
}
