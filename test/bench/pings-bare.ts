/** Child process: asks many agents once each by node:http and nothing else, over a new connection each time as pings do. */
import { Agent, get } from 'node:http';
import { answerParent, cpuMs } from './process.ts';

const [base = '', concurrency = ''] = process.argv.slice(2);
const PATH = '/agent/uptime-since-last-ping';
const agent = new Agent({ keepAlive: false });

function ask(nth: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = `${base}/agent-${String(nth).padStart(5, '0')}${PATH}`;
    get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => (JSON.parse(text).gpu_available === true ? resolve() : reject(new Error(text))));
    }).on('error', reject);
  });
}

answerParent({}, async ({ agents = 0 }) => {
  const since = process.cpuUsage();
  let next = 0;
  const askOn = async () => {
    while (next < agents) await ask(next++);
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, askOn));
  return { msPerGet: cpuMs(since) / agents };
});
