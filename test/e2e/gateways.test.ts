import type { TestContext } from 'vitest';
import { expect } from 'vitest';
import { type DecisionServer, startFakeDecisionServer } from '../servers/decision-server.ts';
import { decide, gateStatus, startFleet, until } from './fleet.ts';
import { describeGateways } from './gateways-contract.ts';

describeGateways('a server with the contract of the engine', () => startFakeDecisionServer());
describeGateways('the engine', startRealEngine);

/** The engine over a real Prometheus: a simulated GPU runs hot, or recovers. */
async function startRealEngine(context: TestContext): Promise<DecisionServer> {
  const fleet = await startFleet(context, [4, 6, 8]);
  const engine = await fleet.startEngine();
  await until(
    () => decide(engine),
    ({ status }) => expect(status).toBe('healthy'),
  );
  const gateAnswers = (status: number) =>
    until(
      () => gateStatus(engine),
      (answer) => expect(answer).toBe(status),
    );
  return {
    port: engine.port,
    delay: async () => {
      await fleet.simulate(3, 'hot');
      await gateAnswers(429);
    },
    recover: async () => {
      await fleet.recover();
      await gateAnswers(200);
    },
    stop: () => engine.stop(),
  };
}
