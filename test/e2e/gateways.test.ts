import { startFakeDecisionServer } from '../servers/decision-server.ts';
import { describeGateways } from './gateways-contract.ts';

describeGateways('a server with the contract of the engine', () => startFakeDecisionServer());
