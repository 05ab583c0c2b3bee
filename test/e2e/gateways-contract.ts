/** What a real gateway with the documented configuration makes of decisions; one suite for every decision server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { startBackend } from '../servers/backend.ts';
import { startCaddy } from '../servers/caddy.ts';
import type { DecisionServer } from '../servers/decision-server.ts';
import { freePort } from '../servers/free-port.ts';
import { startNginx } from '../servers/nginx.ts';
import { requireTool } from '../servers/require-tool.ts';
import { ROOT } from '../servers/server.ts';

/** Ports that the documented examples use. */
const EXAMPLE = { engine: 8000, app: 8080, gateway: 8081 };

interface GatewayPorts {
  readonly engine: number;
  readonly app: number;
  readonly gateway: number;
}

interface Gateway {
  readonly name: string;
  readonly example: string;
  /** What the client gets while nobody answers for decisions. */
  readonly withoutEngine: number;
  start(context: TestContext, example: string, port: number): Promise<{ readonly url: string; stop(): Promise<void> }>;
}

const GATEWAYS: readonly Gateway[] = [
  {
    name: 'Caddy forward_auth',
    example: 'Caddyfile',
    withoutEngine: 502,
    start: async (context, caddyfile, port) =>
      startCaddy({ tool: await requireTool(context, 'caddy'), caddyfile, port }),
  },
  {
    name: 'nginx auth_request',
    example: 'nginx.conf',
    withoutEngine: 200,
    start: async (context, http, port) => startNginx({ tool: await requireTool(context, 'nginx'), http, port }),
  },
];

/** Describes every gateway in front of the decision server that `start` gives. */
export function describeGateways(what: string, start: (context: TestContext) => Promise<DecisionServer>): void {
  describe.each(GATEWAYS)(`$name in front of ${what}`, (gateway) => {
    it('turns a delay into 429 with Retry-After, and lets requests through afterwards', {
      timeout: 120_000,
    }, async (context) => {
      const { url, decisions } = await setUp(gateway, context, start);
      await decisions.recover();
      expect(await post(url)).toEqual(passed());
      await decisions.delay();
      await expectDenied(url);
      await decisions.recover();
      expect(await post(url)).toEqual(passed());
    });

    it(`answers ${gateway.withoutEngine} while no decision can be had`, { timeout: 120_000 }, async (context) => {
      const { url, decisions } = await setUp(gateway, context, start);
      await decisions.stop();
      expect((await post(url)).status).toBe(gateway.withoutEngine);
    });
  });
}

async function setUp(gateway: Gateway, context: TestContext, start: (context: TestContext) => Promise<DecisionServer>) {
  const backend = await startBackend();
  onTestFinished(() => backend.stop());
  const decisions = await start(context);
  onTestFinished(() => decisions.stop());
  const ports = { engine: decisions.port, app: backend.port, gateway: await freePort() };
  const running = await gateway.start(context, exampleOn(gateway.example, ports), ports.gateway);
  onTestFinished(() => running.stop());
  return { url: running.url, decisions };
}

function exampleOn(file: string, ports: GatewayPorts): string {
  const text = readFileSync(join(ROOT, 'engine/http/gateways', file), 'utf8');
  return text
    .replaceAll(`127.0.0.1:${EXAMPLE.engine}`, `127.0.0.1:${ports.engine}`)
    .replaceAll(`127.0.0.1:${EXAMPLE.app}`, `127.0.0.1:${ports.app}`)
    .replaceAll(`127.0.0.1:${EXAMPLE.gateway}`, `127.0.0.1:${ports.gateway}`);
}

async function post(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${url}/v1/images?size=2`, { method: 'POST', body: 'a red bicycle' });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

/** The backend saw the client's request whole, and the id of the decision that let it in. */
function passed() {
  const body = {
    method: 'POST',
    url: '/v1/images?size=2',
    body: 'a red bicycle',
    decisionId: expect.stringMatching(/./),
  };
  return { status: 200, body };
}

async function expectDenied(url: string): Promise<void> {
  const response = await fetch(`${url}/v1/images`, { method: 'POST', body: 'a red bicycle' });
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(response.headers.get('x-decision-id')).toMatch(/./);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ status: 429 });
}
