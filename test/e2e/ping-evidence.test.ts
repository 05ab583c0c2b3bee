/** An agent that says it was well while Prometheus saw that it was not: real exporter, Prometheus and engine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registerAll } from '../servers/agent-registration.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { startFleet, until } from './fleet.ts';
import { agentEntry, agentsOf, pingHistory } from './ping-engine.ts';

const POLICY = `
interval: 1s
settle: 1s
backfill: 1m
presence: { fresh: 3s }
windows: { short: { range: 10s }, medium: { range: 20s }, long: { range: 30s } }
ping:
  allow_loopback: true
  base_interval: 8s
  evidence: both
`;

async function uuidOf(exporter: RunningServer, gpu: string): Promise<string> {
  const text = await (await fetch(`${exporter.url}/metrics`)).text();
  const [, uuid = ''] = new RegExp(`^DCGM_FI_DEV_GPU_TEMP{gpu="${gpu}",UUID="([^"]+)"`, 'm').exec(text) ?? [];
  return uuid;
}

/** Values by agent of a metric of the engine. */
async function valuesOf(engine: RunningServer, metric: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${engine.url}/metrics`)).text();
  const rows = [...text.matchAll(new RegExp(`^${metric}{[^}]*agent_id="([^"]+)"[^}]*} (\\S+)$`, 'gm'))];
  return Object.fromEntries(rows.map(([, id, value]) => [id, Number(value)]));
}

async function firingAlerts(engine: RunningServer): Promise<readonly unknown[]> {
  const answer = await (await fetch(`${engine.url}/api/v1/alerts`)).json();
  return (answer as { readonly data: { readonly alerts: readonly unknown[] } }).data.alerts;
}

const AGREEING = {
  claimed: { uptime_percentage: 100 },
  observed: { uptime_percentage: 100 },
  divergence_percentage_points: 0,
};

describe('an agent that claims more than Prometheus saw', () => {
  it('is judged by what was seen, beside an honest one, and both figures are shown, exported and alerted on', {
    timeout: 180_000,
  }, async (context) => {
    const fleet = await startFleet(context);
    const policyFile = join(temporaryDirectory(), 'policy.yml');
    writeFileSync(policyFile, POLICY);
    const agents = await agentsOf({ count: 2, checkMs: 200 });
    const [liar = { id: '', url: '' }, honest = { id: '', url: '' }] = agents.agents;
    const engine = await fleet.startEngine({ env: { POLICY_FILE: policyFile, RULE_FILES: 'rules/alerts/agents.yml' } });
    const node = `127.0.0.1:${fleet.exporter.port}`;
    await registerAll(engine, [
      { ...liar, metadata: { node, gpu_uuid: await uuidOf(fleet.exporter, '3') } },
      { ...honest, metadata: { node, gpu_uuid: await uuidOf(fleet.exporter, '4') } },
    ]);
    for (const { id } of [liar, honest]) {
      await until(
        () => pingHistory(engine, id),
        (pings) => expect(pings.at(-1)).toMatchObject({ outcome: 'good', evidence: AGREEING }),
      );
    }
    await fleet.simulate(3, 'lost');

    const pings = await until(
      () => pingHistory(engine, liar.id),
      (all) => expect(all.map(({ outcome }) => outcome)).toContain('poor'),
      60_000,
    );
    const poor = pings.find(({ outcome }) => outcome === 'poor');
    expect(poor).toMatchObject({
      consecutive_poor: 1,
      interval_seconds: 16,
      evidence: { claimed: { uptime_percentage: 100 } },
      reason: expect.stringMatching(/^uptime \d+\.\d% < 99% since \S+ \(claimed 100\.0%, observed \d+\.\d%\)$/),
    });
    const { observed, divergence_percentage_points: divergence } = poor?.evidence ?? {};
    expect(observed?.uptime_percentage).toBeLessThan(95);
    expect(poor?.uptime_percentage).toBe(observed?.uptime_percentage);
    expect(divergence).toBeCloseTo(100 - (observed?.uptime_percentage ?? 0), 2);
    expect(await agentEntry(engine, honest.id)).toMatchObject({ status: 'good', ping: { consecutive_poor: 0 } });

    await until(
      () => valuesOf(engine, 'gpu_uptime_ping_divergence_ratio'),
      (exported) => {
        expect(exported[liar.id]).toBeGreaterThan(0.05);
        expect(Math.abs(exported[honest.id] ?? Number.NaN)).toBeLessThan(0.05);
      },
    );
    const alerts = await until(
      () => firingAlerts(engine),
      (firing) => expect(firing).not.toEqual([]),
      100_000,
    );
    expect(alerts).toEqual([
      expect.objectContaining({
        state: 'firing',
        labels: expect.objectContaining({ alertname: 'GpuAgentClaimDivergence', agent_id: liar.id, node }),
      }),
    ]);
  });
});
