/** A proxy in front of a real server that can be told to misbehave, as networks and half-dead servers do. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Behaviour = 'pass' | 'refuse' | 'web_page' | 'half_json' | 'silence' | 'hang_up';

export interface SwitchableProxy {
  readonly url: string;
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

export async function startSwitchableProxy(target: string): Promise<SwitchableProxy> {
  let behaviour: Behaviour = 'pass';
  const server = createServer((req, res) =>
    behaviour === 'pass' ? forward(target, req, res) : MISBEHAVIOUR[behaviour](res),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave: (next) => {
      behaviour = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const MISBEHAVIOUR: Record<Exclude<Behaviour, 'pass'>, (res: ServerResponse) => void> = {
  refuse: (res) => res.writeHead(503, { 'content-type': 'text/plain' }).end('Service Unavailable'),
  web_page: (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Please log in</body></html>'),
  half_json: (res) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"success","data":{"resultType":"vec'),
  silence: () => {},
  hang_up: (res) => res.destroy(),
};

function forward(target: string, req: IncomingMessage, res: ServerResponse): void {
  const onward = request(`${target}${req.url}`, { method: req.method ?? 'GET', headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  req.pipe(onward);
}
