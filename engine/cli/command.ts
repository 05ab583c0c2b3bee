/** The contract between the command line and its commands. */
import type { Environment } from '../policy/environment-layer.ts';

/** What a command may touch of the process around it. */
export interface CommandIo {
  /** Prints lines to standard output; the last line break is added. */
  out(text: string): void;
  /** The same for standard error. */
  err(text: string): void;
  readonly env: Environment;
  readonly cwd: string;
}

export interface Command {
  readonly name: string;
  /** One line of the overview. */
  readonly summary: string;
  /** Shown by `--help` and after a wrong command line; starts with the synopsis. */
  readonly usage: string;
  /** Resolves to the exit code: 0 done, 1 a problem was found and reported, 2 the command line was wrong. */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>;
}
