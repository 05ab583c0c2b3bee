/** `/api/v1/http-sd`: the simulated nodes, for the HTTP service discovery of Prometheus. */

import type { Request } from 'express';
import type { Config } from './config/parse.ts';
import type { Routes } from './routes.ts';
import { httpSdDocument, type NodeTarget } from './source/mock/http-sd.ts';
import type { SimulatedNode } from './source/mock/node.ts';

type Ports = Pick<Config, 'nodePorts'>;

/** Addresses are those by which the document itself was asked for: whoever can ask for it can scrape there. */
export function discoveryRoutes(nodes: readonly SimulatedNode[], { nodePorts }: Ports): Routes {
  const target = (request: Request, { name, modelName }: SimulatedNode, nth: number): NodeTarget => ({
    name,
    modelName,
    ...(nodePorts === 0
      ? { address: request.headers.host ?? '', metricsPath: `/nodes/${encodeURIComponent(name)}/metrics` }
      : { address: `${hostNameOf(request)}:${nodePorts + nth}`, metricsPath: '/metrics' }),
  });
  return {
    '/api/v1/http-sd': {
      GET: (request, response) =>
        void response.json(httpSdDocument(nodes.map((node, nth) => target(request, node, nth)))),
    },
  };
}

// With the brackets of an IPv6 address, and without the port.
function hostNameOf({ headers: { host = '' } }: Request): string {
  return host.replace(/:\d+$/, '');
}
