/** The commands of `gpu-uptime`, in the order of the overview; a command's code is loaded only when it is needed. */
import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'up', load: async () => (await import('./up.ts')).up },
  { name: 'check', load: async () => (await import('./check.ts')).check },
  { name: 'test', load: async () => (await import('./test.ts')).test },
  { name: 'receive', load: async () => (await import('./receive.ts')).receive },
  { name: 'simulate', load: async () => (await import('./simulate.ts')).simulate },
  { name: 'agents', load: async () => (await import('./agents.ts')).agents },
  { name: 'ping-system', load: async () => (await import('./ping-system.ts')).pingSystem },
  { name: 'doctor', load: async () => (await import('./doctor.ts')).doctor },
  { name: 'config', load: async () => (await import('./config.ts')).config },
  { name: 'schema', load: async () => (await import('./schema.ts')).schema },
];
