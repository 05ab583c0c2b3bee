/** What `gpu-uptime check` found out about one file. */
import type { Diagnostic } from '../policy/diagnostics.ts';

export interface CheckedFile {
  readonly file: string;
  /** For the excerpts under its problems. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What it amounts to when it has no error. */
  readonly summary: readonly string[];
  /** The same for programs, without file and diagnostics. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export function isValid({ diagnostics }: CheckedFile): boolean {
  return diagnostics.every(({ severity }) => severity !== 'error');
}
