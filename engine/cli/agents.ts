/** `gpu-uptime agents`: lists, shows, registers, pings and removes the agents of an engine. */
import { pingAgentNow, registerAgent, removeAgent } from './agents/agent-change.ts';
import { listAgents } from './agents/agent-list.ts';
import { showAgent } from './agents/agent-show.ts';
import type { Outcome } from './agents/outcome.ts';
import type { Command, CommandIo } from './command.ts';

export const agents: Command = {
  name: 'agents',
  summary: 'list, show, register, ping and remove agents',
  usage: `gpu-uptime agents list [--capability NAME] [--status STATUS] [--search TEXT] [--due] [--limit N] [--json]
gpu-uptime agents show ID [--hours H] [--json]
gpu-uptime agents register --id ID --url URL [--capability NAME…] [--metadata NAME=VALUE…]
gpu-uptime agents ping ID
gpu-uptime agents remove ID

list shows the agents that match all that is given; the status is that of the last ping, such as good, poor or unreachable.
show says how an agent stands and why, when it is pinged next, what it takes to recover, and what its pings came to in the
last hours (24). register prints the agent's token and nothing else on standard output; it is told only this once, and takes
the token of the first registration to change an agent. ping pings now: what comes before its time is shown and does not
count; the exit code is 1 unless the agent is well. remove takes the agent's token, or the engine's.

  --server-url   the engine (http://127.0.0.1:8000), in every one of these
  --agent-token  the agent's token, for register and remove; better in AGENT_TOKEN, as command lines are seen by others
  --json         for programs: what the engine answers, all pages as one

  ENGINE_URL                the engine, when --server-url is not given
  AGENT_TOKEN               the agent's token
  GPU_UPTIME_TOKEN          the engine's token, where it wants one
  AGENT_REGISTRATION_TOKEN  its token for registrations only`,
  run,
};

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: CommandIo) => Promise<Outcome>>> = {
  list: listAgents,
  show: showAgent,
  register: registerAgent,
  ping: pingAgentNow,
  remove: removeAgent,
};

async function run([name = '', ...args]: readonly string[], io: CommandIo): Promise<number> {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    const names = Object.keys(ACTIONS).join(', ');
    io.err(`gpu-uptime agents: say what to do, one of ${names}\n\nusage: ${agents.usage}`);
    return 2;
  }
  return report(await action(args, io), io);
}

function report(outcome: Outcome, io: CommandIo): number {
  switch (outcome.kind) {
    case 'done':
      if (outcome.note !== undefined) io.err(outcome.note);
      if (outcome.text !== '') io.out(outcome.text);
      return outcome.code;
    case 'misunderstood':
      io.err(`gpu-uptime agents: ${outcome.text}`);
      return 2;
    case 'failure':
      io.err(outcome.text);
      return 1;
  }
}
