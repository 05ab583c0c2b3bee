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
    res.json([...registry.all()].map(targetGroup));
  });
  return router;
}

/** An agent answers scrapes where it answers pings. Labels beginning with __meta are for relabelling, and gone after it. */
function targetGroup({ agent, state }: RegisteredAgent): Record<string, unknown> {
  const { protocol, pathname } = new URL(agent.url);
  return {
    targets: [instanceOf(agent.url)],
    labels: {
      __scheme__: protocol.slice(0, -1),
      __metrics_path__: `${pathname.replace(/\/+$/, '')}/metrics`,
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
  const labels = Object.entries(metadata).map(([name, value]) => [labelName(name), String(value)]);
  return Object.fromEntries(labels);
}

/** Dots and dashes are fit for metadata, and for no label name. */
function labelName(name: string): string {
  return `__meta_gpu_uptime_metadata_${name.replace(/[^A-Za-z0-9_]/g, '_')}`;
}
