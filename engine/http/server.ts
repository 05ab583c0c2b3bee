/** The listening server: gates first and without express, everything else through the application. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GateStats } from '../metrics/own.ts';
import { createGate } from './gate.ts';
import type { EngineView } from './view.ts';

export interface ListenOptions {
  readonly view: EngineView;
  readonly app: RequestListener;
  readonly gateStats: GateStats;
  /** Told of faults in gates; faults elsewhere are the application's. */
  readonly onFault: (error: unknown) => void;
  readonly address: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** Resolves once listening; rejects with the system's error (EADDRINUSE, EACCES). */
export async function listen({
  view,
  app,
  gateStats,
  onFault,
  address,
  port,
}: ListenOptions): Promise<{ server: Server; port: number }> {
  const gate = createGate({ view, stats: gateStats, onFault });
  const server = createServer(
    { keepAliveTimeout: 65_000, connectionsCheckingInterval: 1000, requestTimeout: 10_000, headersTimeout: 5_000 },
    (req, res) => {
      if (!gate(req, res)) app(req, res);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Stops accepting, lets running requests finish for `graceMs`, then cuts the rest. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
