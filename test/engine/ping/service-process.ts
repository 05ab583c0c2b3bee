/** Child process: an engine that pings the agents in the store of `file` until it is killed. */
import { openRealService, quickPolicy } from './real-service.ts';

const [file = '', baseIntervalMs = ''] = process.argv.slice(2);
const policy = quickPolicy(Number(baseIntervalMs));

const { service } = await openRealService(file, { policy: () => policy });
process.stdout.write('ready\n');
await service.run(new AbortController().signal);
