/** Which port each part listens on, checked before anything starts. */
import { createServer, type Server } from 'node:net';
import { Refusal } from './refusal.ts';

export const LOOPBACK = '127.0.0.1';

const PORT_TABLE = {
  exporter: { variable: 'EXPORTER_PORT', standard: 9400, title: 'the exporter' },
  prometheus: { variable: 'PROMETHEUS_PORT', standard: 9090, title: 'Prometheus' },
  alertmanager: { variable: 'ALERTMANAGER_PORT', standard: 9093, title: 'Alertmanager' },
  engine: { variable: 'ENGINE_PORT', standard: 8000, title: 'the engine' },
  notifications: { variable: 'NOTIFICATIONS_PORT', standard: 9095, title: 'the notification receiver' },
} as const satisfies Record<string, PortRow>;

interface PortRow {
  readonly variable: string;
  readonly standard: number;
  readonly title: string;
}

type PortName = keyof typeof PORT_TABLE;
export type Ports = Readonly<Record<PortName, number>>;

/** The ports of all parts; 0 in a variable picks a free one. Throws Refusal with one sentence per port that cannot be used. */
export async function claimPorts(env: NodeJS.ProcessEnv): Promise<Ports> {
  const wanted = readPorts(env);
  const claims = await Promise.all(wanted.map(claim));
  const held = claims.flatMap((result) => (result.kind === 'held' ? [result] : []));
  // All are held together until the last one is chosen, so that no free port is picked twice.
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  const refused = claims.flatMap((result) => (result.kind === 'refused' ? [result.sentence] : []));
  if (refused.length > 0) throw new Refusal(refused);
  return Object.fromEntries(held.map(({ name, port }) => [name, port])) as Ports;
}

interface WantedPort extends PortRow {
  readonly name: string;
  readonly port: number;
}

function readPorts(env: NodeJS.ProcessEnv): readonly WantedPort[] {
  const rows = Object.entries<PortRow>(PORT_TABLE);
  const invalid = rows.flatMap(([, { variable }]) =>
    isPort(env[variable]) ? [] : [invalidSentence(variable, env[variable])],
  );
  if (invalid.length > 0) throw new Refusal(invalid);
  const wanted = rows.map(([name, row]) => ({ ...row, name, port: Number(env[row.variable] || row.standard) }));
  const shared = wanted.flatMap((one, index) => sharedSentence(one, wanted.slice(0, index)));
  if (shared.length > 0) throw new Refusal(shared);
  return wanted;
}

function sharedSentence({ port, variable }: WantedPort, earlier: readonly WantedPort[]): readonly string[] {
  const same = earlier.find((one) => one.port !== 0 && one.port === port);
  return same ? [`${same.variable} and ${variable} are both ${port}; give each part a port of its own.`] : [];
}

function isPort(text: string | undefined): boolean {
  return text === undefined || text === '' || (/^\d{1,5}$/.test(text) && Number(text) <= 65_535);
}

function invalidSentence(variable: string, text: string | undefined): string {
  return `${variable} is "${text}"; set it to a port number from 1 to 65535, or to 0 for any free port.`;
}

type Claim =
  | { readonly kind: 'held'; readonly name: string; readonly port: number; readonly server: Server }
  | { readonly kind: 'refused'; readonly sentence: string };

function claim(wanted: WantedPort): Promise<Claim> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'refused', sentence: refusedSentence(wanted, error.code) });
    });
    server.listen(wanted.port, LOOPBACK, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : wanted.port;
      resolve({ kind: 'held', name: wanted.name, port, server });
    });
  });
}

function refusedSentence({ port, title, variable }: WantedPort, code: string | undefined): string {
  const move = `or set ${variable} to another port`;
  if (code === 'EADDRINUSE') return `Port ${port} for ${title} is already in use; stop what uses it, ${move}.`;
  if (code === 'EACCES') return `Port ${port} for ${title} may only be opened by root; run as root, ${move}.`;
  return `Port ${port} for ${title} cannot be opened (${code}); free it, ${move}.`;
}
