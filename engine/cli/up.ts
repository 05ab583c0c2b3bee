/** `gpu-uptime up`: the whole system in one terminal, until Ctrl-C or the death of a part. */
import { once } from 'node:events';
import { announceFirstDecision } from '../stack/first-decision.ts';
import { createStack, type Stack } from '../stack/stack.ts';
import { readStackSettings } from '../stack/stack-settings.ts';
import { messageOf } from '../text/message-of.ts';
import type { Command, CommandIo } from './command.ts';
import { interruptionOf } from './interruption.ts';

export const up: Command = {
  name: 'up',
  summary: 'start the exporter, Prometheus, Alertmanager and the engine on this machine',
  usage: `gpu-uptime up

Starts everything on 127.0.0.1 and ends it on Ctrl-C, or when any part ends by itself.

  EXPORTER_PORT, PROMETHEUS_PORT, ALERTMANAGER_PORT, ENGINE_PORT, NOTIFICATIONS_PORT
             where each part listens (9400, 9090, 9093, 8000, 9095; 0 is any free port)
  DATA_DIR   what the parts write, and their logs (data)
  TOOLS_DIR  programs that had to be fetched (.tools)
  POLICY_FILE
             what the engine judges by (rules/policy.local.yml: the defaults, and agents of this machine may be pinged)
  AGENT_ID   what the exporter calls itself as an agent (agent-001); AGENT_MODE=false for none`,
  run,
};

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  if (args.length > 0) {
    io.err(
      `gpu-uptime up takes no arguments, and was given ${args.join(' ')}; its settings are environment variables.`,
    );
    return 2;
  }
  const interruption = interruptionOf(['SIGINT', 'SIGTERM', 'SIGHUP']);
  // A closed terminal takes our output away before it takes us; the parts must still be ended.
  process.stdout.on('error', () => {});
  const stack = createStack(readStackSettings(io.env, io.cwd), io.out);
  try {
    return await live(stack, interruption, io);
  } finally {
    const ended = await stack.stop();
    if (ended.length > 0) io.out(`ended ${ended.join(', ')}`);
  }
}

async function live(stack: Stack, interruption: AbortSignal, io: CommandIo): Promise<number> {
  try {
    const engineUrl = await stack.start(interruption);
    const failed = new AbortController();
    const signal = AbortSignal.any([interruption, failed.signal]);
    void announceFirstDecision(engineUrl, { signal, onLine: io.out });
    const death = await Promise.race([stack.failed, once(interruption, 'abort').then(() => undefined)]);
    failed.abort();
    return ending(death, io);
  } catch (error) {
    return ending(interruption.aborted ? undefined : messageOf(error), io);
  }
}

/** Prints why everything ends; the exit code is 0 when someone asked for it. */
function ending(reason: string | undefined, io: CommandIo): number {
  if (reason === undefined) io.out('ending everything');
  else io.err(reason);
  return reason === undefined ? 0 : 1;
}
