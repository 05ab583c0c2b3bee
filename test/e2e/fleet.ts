/** A whole fleet of real processes on a fast clock: 1 s ticks, windows of 10 to 30 s, delays of seconds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext, vi } from 'vitest';
import { startEngine } from '../servers/engine.ts';
import { startExporter } from '../servers/exporter.ts';
import { freePort } from '../servers/free-port.ts';
import { scrapeConfig, startPrometheus } from '../servers/prometheus.ts';
import { requireTool } from '../servers/require-tool.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';

/** Base 200 ms instead of 30 s: the documented ladder of 300 s to 3000 s becomes 2 s to 20 s, multipliers unchanged. */
function fastPolicy([short, medium, long]: readonly [number, number, number]): string {
  return `
interval: 1s
settle: 1s
backfill: 2m
# A busy machine may scrape late; a GPU that is gone is known by its stale marker all the same.
presence: { fresh: 3s }
windows:
  short: { range: ${short}s, threshold: 99 }
  medium: { range: ${medium}s, threshold: 99 }
  long: { range: ${long}s, threshold: 99 }
delay: { base_duration: 200ms }
stale: { max_staleness: 6s, on_stale: deny }
capabilities: { text-to-image: {} }
`;
}

/** Window lengths in seconds. */
const WINDOWS = [10, 20, 30] as const;

export interface Fleet {
  readonly exporter: RunningServer;
  readonly prometheus: RunningServer;
  readonly policyFile: string;
  /** Kills Prometheus the hard way; the answer starts it again on the same storage and port. */
  killPrometheus(): Promise<() => Promise<RunningServer>>;
  /** Another engine over the same Prometheus. */
  startEngine(options?: {
    readonly dataDir?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly port?: number;
  }): Promise<RunningServer>;
  simulate(gpu: number, fault: string): Promise<void>;
  recover(): Promise<void>;
}

export interface FleetOptions {
  /** Variables of the exporter, a timeline for example. */
  readonly exporter?: NodeJS.ProcessEnv;
  /** A rule file for Prometheus to evaluate, every second. */
  readonly ruleFile?: string;
}

/** Starts exporter and Prometheus; everything ends with the running test. */
export async function startFleet(
  context: TestContext,
  windows: readonly [number, number, number] = WINDOWS,
  options: FleetOptions = {},
): Promise<Fleet> {
  const tool = await requireTool(context, 'prometheus');
  const directory = temporaryDirectory();
  const policyFile = join(directory, 'policy.yml');
  writeFileSync(policyFile, fastPolicy(windows));
  const port = await freePort();
  const enginePort = await freePort();
  const exporter = await untilFinished(
    startExporter({ env: { EXPORTER_COLLECT_INTERVAL_MS: '250', ...options.exporter } }),
  );
  const jobs = { prometheus: `127.0.0.1:${port}`, gpu: hostOf(exporter), engine: `127.0.0.1:${enginePort}` };
  const rules = options.ruleFile === undefined ? {} : { rule_files: [options.ruleFile] };
  const config = JSON.stringify({ ...JSON.parse(scrapeConfig(jobs)), ...rules });
  const start = () => startPrometheus({ tool, port, storage: join(directory, 'storage'), config });
  const prometheus = await untilFinished(start());
  const faults = `${exporter.url}/api/v1/simulate`;
  return {
    exporter,
    prometheus,
    policyFile,
    killPrometheus: async () => {
      await prometheus.kill();
      return () => untilFinished(start());
    },
    startEngine: ({ dataDir = temporaryDirectory(), env = {}, port: chosen } = {}) =>
      untilFinished(
        startEngine({
          dataDir,
          port: chosen ?? enginePort,
          env: {
            PROMETHEUS_URL: prometheus.url,
            ALERTMANAGER_URLS: '',
            RULE_FILES: '',
            POLICY_FILE: policyFile,
            PROMETHEUS_TIMEOUT_SECONDS: '2',
            ...env,
          },
        }),
      ),
    simulate: async (gpu, fault) => {
      await send(faults, 'POST', { gpu, fault });
    },
    recover: async () => {
      await send(faults, 'DELETE');
    },
  };
}

async function untilFinished(starting: Promise<RunningServer>): Promise<RunningServer> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

function hostOf({ port }: RunningServer): string {
  return `127.0.0.1:${port}`;
}

async function send(url: string, method: string, body?: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${await response.text()}`);
}

/** The whole answer about a subject. */
export interface Answer {
  readonly decision_id: string;
  readonly can_process: boolean;
  readonly reason: string;
  readonly basis: string;
  readonly status: string;
  readonly multiplier: number;
  readonly delay_seconds: number;
  readonly consecutive_failures: number;
  readonly low_since: number | null;
  readonly clears_at_if_healthy: number | null;
  readonly evaluated_at: number;
  readonly data_age_seconds: number;
  readonly wait_time_seconds: number;
  readonly stale: boolean;
  readonly causes: readonly { readonly reason: string; readonly labels: { readonly gpu: string } }[];
  readonly windows: readonly {
    readonly name: string;
    readonly uptime_percentage: number | null;
    readonly down: number;
    readonly unobserved: number;
    readonly verdict: string;
  }[];
}

export async function decide(
  engine: RunningServer,
  subject: { readonly gpu?: string; readonly node?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${engine.url}/api/v1/decisions/delay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ capability: 'text-to-image', ...subject }),
  });
  if (!response.ok) throw new Error(`the engine answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

export async function gateStatus(engine: RunningServer): Promise<number> {
  return (await fetch(`${engine.url}/api/v1/gate/forward/text-to-image`)).status;
}

/** Asks until the answer is as expected; the last difference is what a failing test shows. */
export async function until<T>(ask: () => Promise<T>, expectIt: (answer: T) => void, timeoutMs = 30_000): Promise<T> {
  return vi.waitFor(
    async () => {
      const answer = await ask();
      expectIt(answer);
      return answer;
    },
    { timeout: timeoutMs, interval: 150 },
  );
}
