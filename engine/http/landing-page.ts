/** The page at `/`, for people who open the engine in a browser. */
import { Router } from 'express';

const LINKS = [
  ['/alerts', 'alerts that are pending or firing'],
  ['/rules', 'alert rules and recording rules, and how they fare'],
  ['/gpu/monitoring/summary', 'the whole picture as JSON: fleet, nodes, GPUs that are not up, delays, alerts'],
  ['/gpu/uptime', 'uptime of the fleet; add ?node=… or ?gpu=…'],
  ['/gpu/payment-delays', 'active delays by capability'],
  ['/api/v1/gate/forward/default', 'what a gateway is told: 200, or 429 with Retry-After'],
  ['/api/v1/holds', 'operator holds'],
  ['/ping-system/dashboard', 'agents and how their pings fare'],
  ['/ping-system/agents', 'registered agents, each with its next ping and the way back to the base interval'],
  ['/ping-system/agents/due-for-ping', 'agents that are due, those that have waited longest first'],
  ['/sd/agents', 'agents as targets, for the HTTP service discovery of Prometheus'],
  ['/metrics', 'own and derived series, in Prometheus text format'],
  ['/-/healthy', 'whether the process runs'],
  ['/-/ready', 'whether history has been read'],
] as const;

export function landingRoutes(version: string): Router {
  const router = Router();
  const page = landingPage(version);
  router.get('/', (_req, res) => res.type('html').send(page));
  return router;
}

function landingPage(version: string): string {
  const items = LINKS.map(([path, what]) => `<li><a href=".${path}">${path}</a>: ${what}</li>`);
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>gpu-uptime engine</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}</style></head>
<body>
<h1>gpu-uptime engine</h1>
<p>Version ${version}. May a job run on a GPU now, and if not, when?</p>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}
