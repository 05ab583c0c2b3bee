import { expect, it } from 'vitest';
import { encodePingState } from '../../../engine/store/ping-state-json.ts';
import { aState, goodPing, START_MS } from './ping-fixtures.ts';
import { describePostgres, openStore } from './postgres-fixtures.ts';

const AGENTS = 10_000;
const AT_ONCE = 100;

/** Of this process, so that whatever else the machine does counts little. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

describePostgres('a PostgreSQL with ten thousand agents', (server) => {
  it('takes less than half a millisecond of CPU in the engine per ping, and gives none twice', async () => {
    const url = await server().createDatabase();
    const { pings } = await openStore(url);
    await server().run(
      `WITH added AS (
        INSERT INTO gpu_uptime.agent
          (id, url, capabilities, metadata, node, token_hash, registered_at_ms, updated_at_ms)
        SELECT 'agent-' || at, 'http://10.0.0.1:8001/' || at, '["gpu-compute"]', '{"gpu_model":"RTX 4090"}', 'n', '', 0, 0
        FROM generate_series(1, ${AGENTS}) AS at RETURNING number)
      INSERT INTO gpu_uptime.ping_state (agent, next_due_at_ms, state)
      SELECT number, number, '${encodePingState(aState(0))}' FROM added`,
      url,
    );
    const pinged: string[] = [];
    const spentMs = await cpuMs(async () => {
      for (let claims = await claimDue(); claims.length > 0; claims = await claimDue()) {
        pinged.push(...claims.map(({ agent }) => agent.id));
        await pings.record(claims.map((claim) => goodPing(claim, START_MS)));
      }
    });
    expect([pinged.length, new Set(pinged).size]).toEqual([AGENTS, AGENTS]);
    expect(await pings.totals(0)).toMatchObject([{ pings: AGENTS, answered: AGENTS, roundTripMs: 12.5 * AGENTS }]);
    expect(spentMs / AGENTS).toBeLessThan(0.5);

    function claimDue() {
      return pings.claimDue(START_MS, AT_ONCE, 30_000);
    }
  });
});
