/** Changes the plans of many agents, outside of their pings. */
import { setImmediate } from 'node:timers/promises';
import { pardonPing, resumePing } from '../core/ping/resume.ts';
import type { PingState } from '../core/ping/state.ts';
import type { PingEvent } from '../core/ping/step.ts';
import type { RegisteredAgent } from './agent-index.ts';
import { logPing } from './ping-news.ts';
import { leaseMsOf, type PingPorts } from './ping-ports.ts';
import type { HeldAgent } from './registry.ts';

type SweepPorts = Pick<PingPorts, 'registry' | 'policy' | 'clock' | 'log' | 'timing'>;

interface Change {
  readonly state: PingState;
  readonly events: readonly PingEvent[];
}

/** Undefined when there is nothing to change. */
type Rule = (known: RegisteredAgent) => Change | undefined;

/** Others have their turn between two batches. */
const AT_ONCE = 100;

/**
 * Goes on with all agents after an absence, another policy, or a change of the clock. An agent whose ping is in flight is left
 * to whoever pings it. Rejects when the store fails; what was changed by then stays, and to begin again does no harm.
 */
export function resumeAll(ports: SweepPorts, setBackMs: number, signal: AbortSignal): Promise<void> {
  const { policy, clock } = ports;
  return sweep(ports, signal, ({ agent, state }) => {
    const resumed = resumePing(policy(), { agentId: agent.id, state, nowMs: clock.now(), setBackMs });
    return resumed === state ? undefined : { state: resumed, events: [] };
  });
}

/** Takes back the failures that counted since the engine itself failed, each once. Rejects as `resumeAll` does. */
export function pardonAll(ports: SweepPorts, sinceMs: number, signal: AbortSignal): Promise<void> {
  const { policy, clock } = ports;
  return sweep(ports, signal, ({ agent, state }) =>
    pardonPing(policy(), { agentId: agent.id, state, nowMs: clock.now() }, sinceMs),
  );
}

async function sweep(ports: SweepPorts, signal: AbortSignal, rule: Rule): Promise<void> {
  const found = [...ports.registry.all()].filter((known) => rule(known) !== undefined);
  for (let from = 0; from < found.length && !signal.aborted; from += AT_ONCE) {
    await changeSome(ports, found.slice(from, from + AT_ONCE), rule);
    await setImmediate();
  }
}

async function changeSome(ports: SweepPorts, found: readonly RegisteredAgent[], rule: Rule): Promise<void> {
  const { registry, clock, log } = ports;
  const claims = found.map(({ agent }) => registry.claim(agent.id, clock.now(), leaseMsOf(ports)));
  // The newest state decides, not the one that was known here.
  const changed = (await Promise.all(claims)).flatMap((held) => (held === undefined ? [] : [changeOf(held, rule)]));
  const outcomes = await registry.record(changed.map(({ held, state }) => resultOf(held, state)));
  for (const [at, { held, events }] of changed.entries()) {
    if (outcomes[at] === 'kept') logPing(log, { agentId: held.agent.id, events, record: undefined });
  }
}

function changeOf(held: HeldAgent, rule: Rule): Change & { readonly held: HeldAgent } {
  return { held, state: held.state, events: [], ...rule(held) };
}

function resultOf({ agent, version }: HeldAgent, state: PingState) {
  return { agentId: agent.id, version, state, record: undefined };
}
