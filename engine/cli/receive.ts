/** `gpu-uptime receive`: prints what Alertmanager sends to its webhook, one line per alert, until it is interrupted. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { type Receiver, startReceiver } from '../alertmanager/receiver.ts';
import { messageOf } from '../text/message-of.ts';
import type { Command, CommandIo } from './command.ts';
import { interruptionOf } from './interruption.ts';

export const receive: Command = {
  name: 'receive',
  summary: 'print the alerts that Alertmanager sends to its webhook',
  usage: `gpu-uptime receive [--port PORT] [--address ADDRESS]

Takes notifications on POST /notifications and prints one line per alert, until it is interrupted.

  --port     where to listen (9095; 0 is any free port)
  --address  the address to listen on (127.0.0.1)`,
  run: async (args, io) => await runReceiver(args, io, interruptionOf(['SIGINT', 'SIGTERM'])),
};

const OPTIONS = {
  port: { type: 'string', default: '9095' },
  address: { type: 'string', default: '127.0.0.1' },
} as const;

/** Listens until `interruption`; the exit code is 0 then, 1 when it cannot listen, 2 for a wrong port. */
export async function runReceiver(args: readonly string[], io: CommandIo, interruption: AbortSignal): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    io.err(`gpu-uptime receive: --port must be 0 to 65535, and is "${values.port}"`);
    return 2;
  }
  const receiver = await listen(values.address, port, io);
  if (receiver === undefined) return 1;
  if (!interruption.aborted) await once(interruption, 'abort');
  await receiver.close();
  return 0;
}

async function listen(host: string, port: number, io: CommandIo): Promise<Receiver | undefined> {
  try {
    const receiver = await startReceiver({ host, port, onLine: (line) => io.out(line) });
    io.err(`waiting for alerts on http://${host}:${receiver.port}/notifications`);
    return receiver;
  } catch (error) {
    const reason = messageOf(error);
    io.err(`gpu-uptime receive: cannot listen on ${host}:${port}: ${reason}; choose another with --port`);
    return undefined;
  }
}
