/** The engine's HTTP side with a real registry, on a real port and with the clock in hand. */
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { planOf, play, times } from '../core/fixtures.ts';
import { openRegistry, type RegistryFixture } from '../ping/registry-fixtures.ts';
import { type FakePings, fakePings } from './fake-pings.ts';
import { type ServingOptions, serve } from './serving.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, or text where it is none; undefined where there was no body. */
  readonly body: unknown;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PingServing extends RegistryFixture {
  readonly url: string;
  readonly fake: FakePings;
  /** All that was logged. */
  readonly logged: () => string;
  /** `GET /sd/agents`. A body that is text is sent as it is. */
  ask(request: string, asking?: Asking): Promise<Answer>;
}

const FLEET = play(planOf(), times(1, { 'a/0': 'up' }));

type Options = Pick<ServingOptions, 'token' | 'registrationToken' | 'address'> & { readonly maxAgents?: number };

export async function servePings({ maxAgents = 100, ...credentials }: Options = {}): Promise<PingServing> {
  const fixture = await openRegistry(maxAgents);
  const now = () => fixture.clock.nowMs;
  const fake = fakePings({ ...fixture, now });
  const { log, logged } = rememberingLog();
  const { url, close } = await serve({ fleet: FLEET, pings: fake, now, log, ...credentials });
  onTestFinished(close);
  return { ...fixture, url, fake, logged, ask: (request, asking) => ask(url, request, asking) };
}

export async function ask(url: string, request: string, { body, headers = {} }: Asking = {}): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method, headers: { ...type, ...headers }, ...sent });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function rememberingLog(): { readonly log: Logger; readonly logged: () => string } {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  return { log, logged: () => lines.join('') };
}
