/** The page at `/`, for people who open the exporter in a browser. */

export interface Landing {
  readonly version: string;
  readonly source: string;
  /** Whether faults can be injected. */
  readonly canSimulate: boolean;
}

/** A small HTML page; nothing on it comes from outside the process. */
export function landingPage({ version, source, canSimulate }: Landing): string {
  const links = [
    link('/metrics', 'GPU and exporter metrics, in Prometheus text format'),
    link('/health', 'source, GPUs and age of the readings, as JSON'),
    link('/-/healthy', 'whether the process runs'),
    link('/-/ready', 'whether there are readings yet'),
    ...(canSimulate ? [link('/api/v1/simulate', 'faults of the simulated GPUs (from this machine only)')] : []),
  ];
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
