/** GET /sd/agents: registered agents as targets, in the HTTP service discovery format of Prometheus. */
import { Router } from 'express';
import type { Agent } from '../core/ping/agent.ts';
import type { RegisteredAgent } from '../ping/agent-index.ts';
import { statusOf } from '../ping/agent-status.ts';
import type { Pings } from '../ping/pings.ts';
import { instanceOf } from '../ping/registration.ts';
import { withoutQuery } from './ping-request.ts';

export function discoveryRoutes({ registry }: Pick<Pings, 'registry'>): Router {
  const router = Router();
  router.get('/sd/agents', (req, res) => {
    withoutQuery(req);
    res.json(targetGroups([...registry.all()].filter(({ agent }) => registry.isAllowed(agent))));
  });
  return router;
}

/**
 * Prometheus would name a target by host and port, and one of several agents there that fails would make all of them seem
 * down. Each has an `instance` of its own instead: the node that it is known by unless it says otherwise.
 */
function targetGroups(entries: readonly RegisteredAgent[]): readonly Record<string, unknown>[] {
  const urls = new Map<string, string>();
  for (const { agent } of entries.toSorted(byRight)) {
    const instance = instanceOf(agent.url);
    if (!urls.has(instance)) urls.set(instance, agent.url);
  }
  return entries.map((entry) => {
    const { url } = entry.agent;
    const instance = instanceOf(url);
    // Only the scheme differs, and a wrong one must not fail in the name of the right one.
    return targetGroup(entry, urls.get(instance) === url ? instance : url);
  });
}

/** Of two schemes at one port only one can answer; until it has, who came first is believed. */
function byRight(a: RegisteredAgent, b: RegisteredAgent): number {
  const answers = ({ state }: RegisteredAgent) => Number(state.isReachable === true);
  const age = a.agent.registeredAtMs - b.agent.registeredAtMs;
  return answers(b) - answers(a) || age || (a.agent.id < b.agent.id ? -1 : 1);
}

/** An agent answers scrapes where it answers pings. Labels beginning with __meta are for relabelling, and gone after it. */
function targetGroup({ agent, state }: RegisteredAgent, instance: string): Record<string, unknown> {
  const { protocol, hostname, port, pathname } = new URL(agent.url);
  return {
    targets: [`${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`],
    labels: {
      __scheme__: protocol.slice(0, -1),
      __metrics_path__: `${pathname.replace(/\/+$/, '')}/metrics`,
      instance,
      agent_id: agent.id,
      __meta_gpu_uptime_url: agent.url,
      __meta_gpu_uptime_node: agent.node,
      __meta_gpu_uptime_gpu: agent.gpu ?? '',
      __meta_gpu_uptime_status: statusOf(state),
      // Separated at both ends as well, so that one pattern finds a name wherever it stands.
      __meta_gpu_uptime_capabilities: agent.capabilities.length === 0 ? '' : `,${agent.capabilities.join(',')},`,
      ...metadataLabels(agent),
    },
  };
}

function metadataLabels({ metadata }: Agent): Record<string, string> {
  const labels = Object.entries(metadata).map(([name, value]) => [labelName(name), String(value)] as const);
  // Of names that become one, the first is kept.
  return Object.fromEntries(labels.toReversed());
}

/** Dots and dashes are fit for metadata, and for no label name. */
function labelName(name: string): string {
  return `__meta_gpu_uptime_metadata_${name.replace(/[^A-Za-z0-9_]/g, '_')}`;
}
