/** Child process: node:http and nothing else, sending the bytes that a real server sent (in a file, as JSON). */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerParent } from './process.ts';
import type { RawAnswer } from './raw-http.ts';

// Written by againstBare in against-bare.ts.
const { status, headers, body, keepAliveMs } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RawAnswer;
const sent = Object.fromEntries(headers);
const bytes = Buffer.from(body, 'latin1');

const server = createServer({ keepAliveTimeout: keepAliveMs }, (_req, res) => {
  res.writeHead(status, sent);
  res.end(bytes);
});
server.listen(0, '127.0.0.1', () => answerParent({ port: (server.address() as AddressInfo).port }, () => ({})));
