/** The page at `/`, for people who open the exporter in a browser. */

export interface Landing {
  readonly version: string;
  readonly source: string;
  /** Endpoints that are there only in some set-ups. */
  readonly paths: readonly string[];
}

const always: Readonly<Record<string, string>> = {
  '/metrics': 'GPU and exporter metrics under the names of dcgm-exporter',
  '/metrics?profile=native': 'the same in base units, with every GPU that was ever seen',
  '/health': 'source, GPUs and age of the readings, as JSON',
  '/-/healthy': 'whether the process runs',
  '/-/ready': 'whether the first reading is over',
};

const sometimes: Readonly<Record<string, string>> = {
  '/api/v1/gpus': 'every GPU that was ever seen, and what became of it',
  '/api/v1/http-sd': 'the simulated nodes, for the HTTP service discovery of Prometheus',
  '/api/v1/simulate': 'what is broken in the simulation, and how to break more (from this machine only)',
  '/api/v1/simulate/truth': 'what really happened to the simulated GPUs, to the millisecond',
  '/agent/uptime-since-last-ping': 'what the agent saw since the ping before',
  '/agent/gpu-status': 'the GPUs as the agent sees them',
  '/agent/health': 'whether the agent itself is well',
  '/v1/states': 'health of the components, in the words of GPUd',
  '/v1/events': 'what happened, in the words of GPUd',
  '/v1/gpu': 'all readings of the GPUs, as JSON',
  '/healthz': 'the health check of GPUd',
};

/** A small HTML page; nothing on it comes from outside the process. */
export function landingPage({ version, source, paths }: Landing): string {
  const present = Object.entries(sometimes).filter(([path]) => paths.includes(path));
  const links = [...Object.entries(always), ...present].map(([path, what]) => link(path, what));
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>gpu-uptime exporter</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:40rem;padding:0 1rem}</style></head>
<body>
<h1>gpu-uptime exporter</h1>
<p>Version ${version}, reading from the ${source} source.</p>
<ul>
${links.join('\n')}
</ul>
</body>
</html>
`;
}

function link(path: string, what: string): string {
  return `<li><a href="${path}">${path}</a>: ${what}</li>`;
}
