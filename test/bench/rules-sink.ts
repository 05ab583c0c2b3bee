/** Child process: takes alerts as an Alertmanager does, and lists those it was sent. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PostableAlert } from '../../engine/alertmanager/payload.ts';
import { fingerprintOf } from '../../engine/core/fingerprint.ts';
import { answerParent } from './process.ts';

const alerts = new Map<string, PostableAlert>();

async function take(req: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const posted = JSON.parse(Buffer.concat(chunks).toString()) as readonly PostableAlert[];
  for (const alert of posted) alerts.set(fingerprintOf(alert.labels), alert);
}

const server = createServer(async (req, res) => {
  if (req.method === 'POST') {
    await take(req);
    res.end();
  } else {
    const held = [...alerts].map(([fingerprint, { labels, annotations }]) => ({ fingerprint, labels, annotations }));
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(held));
  }
});
server.listen(0, '127.0.0.1', () => answerParent({ port: (server.address() as AddressInfo).port }, () => ({})));
