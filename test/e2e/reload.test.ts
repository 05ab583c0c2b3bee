/** Reloads are all or nothing, and what a person decided outlives the process. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../servers/server.ts';
import { temporaryDirectory } from '../servers/temporary-directory.ts';
import { decide, startFleet, until } from './fleet.ts';

async function reload({
  url,
}: RunningServer): Promise<{ status: number; body: { policy_revision?: string; diagnostics?: string } }> {
  const response = await fetch(`${url}/-/reload`, { method: 'POST' });
  return {
    status: response.status,
    body: (await response.json()) as { policy_revision?: string; diagnostics?: string },
  };
}

describe('/-/reload and SIGHUP', () => {
  it('keep the last good policy when the new one is wrong, and judge history anew when it is right', {
    timeout: 120_000,
  }, async (context) => {
    const fleet = await startFleet(context);
    const engine = await fleet.startEngine();
    const ask = () => decide(engine, { gpu: '1' });
    const good = readFileSync(fleet.policyFile, 'utf8');
    await until(ask, ({ status }) => expect(status).toBe('healthy'));
    const before = await reload(engine);
    expect(before.status).toBe(200);

    writeFileSync(fleet.policyFile, good.replace('threshold: 99', 'treshold: 99'));
    const refused = await reload(engine);
    expect(refused.status).toBe(422);
    expect(refused.body.diagnostics).toMatch(/policy\.yml:\d+:\d+: error: unknown key "treshold"/);
    expect(await ask()).toMatchObject({
      status: 'healthy',
      decision_id: expect.stringContaining(before.body.policy_revision ?? '?'),
    });

    // Under this policy every GPU has been too hot all along.
    writeFileSync(fleet.policyFile, `${good}\nchecks: { temperature: { max: 20 } }\n`);
    process.kill(engine.pid, 'SIGHUP');
    const strict = await until(ask, (answer) => expect(answer.can_process).toBe(false));
    expect(strict.causes[0]?.reason).toMatch(/^temperature \d+(\.\d+)? °C > 20 °C$/);
    // These ticks were up when they were first judged.
    expect(strict.windows.find(({ name }) => name === 'long')?.down).toBeGreaterThanOrEqual(5);

    writeFileSync(fleet.policyFile, good);
    expect((await reload(engine)).body.policy_revision).toBe(before.body.policy_revision);
    expect(await ask()).toMatchObject({ status: 'healthy', can_process: true });
  });
});

describe('an operator hold', () => {
  it('survives kill -9', { timeout: 120_000 }, async (context) => {
    const fleet = await startFleet(context);
    const dataDir = temporaryDirectory();
    const first = await fleet.startEngine({ dataDir });
    await until(
      () => decide(first),
      ({ status }) => expect(status).toBe('healthy'),
    );
    const hold = { effect: 'deny', owner: 'ops', reason: 'riser recall', expires_in_seconds: 600 };
    const created = await fetch(`${first.url}/api/v1/holds`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(hold),
    });
    expect(created.status).toBe(201);
    await first.kill();
    const again = await fleet.startEngine({ dataDir });
    expect(
      await until(
        () => decide(again),
        ({ basis }) => expect(basis).toBe('hold'),
      ),
    ).toMatchObject({ can_process: false, reason: 'Held by ops: riser recall' });
  });
});
