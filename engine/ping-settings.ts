/** Settings of pings that are no policy: who schedules them, what agents are shown, and where they are kept. */
import type { Setting } from './config.ts';

export interface PingConfig {
  /** Whether this engine pings by itself; otherwise an outside scheduler does, and hands its results in. */
  readonly schedulesPings: boolean;
  /** Tokens and certificates for agents, by their address. */
  readonly agentClientFile: string | undefined;
  /** A PostgreSQL that several engines share; undefined for the engine's own store. */
  readonly pingDatabaseUrl: string | undefined;
}

export const PING_SETTINGS = [
  {
    env: 'PING_SCHEDULER',
    flag: 'ping-scheduler',
    default: 'on',
    help: 'off leaves pings to an outside scheduler, such as `gpu-uptime ping-system`.',
    problem: notSwitch,
  },
  {
    env: 'AGENT_CLIENT_FILE',
    flag: 'agent-client-file',
    default: '',
    help: 'YAML with HTTP client settings for agents, by address: basic_auth, authorization, tls_config.',
    problem: anything,
  },
  {
    env: 'PING_DATABASE_URL',
    default: '',
    help: 'PostgreSQL for agents and pings, shared by several engines; the own store unless set.',
    problem: notPostgres,
  },
] as const satisfies readonly Setting[];

type Names = (typeof PING_SETTINGS)[number]['env'];

export function pingConfig(get: (name: Names) => string): PingConfig {
  return {
    schedulesPings: get('PING_SCHEDULER') === 'on',
    agentClientFile: get('AGENT_CLIENT_FILE') || undefined,
    pingDatabaseUrl: get('PING_DATABASE_URL') || undefined,
  };
}

function anything(): undefined {
  return undefined;
}

function notSwitch(value: string): string | undefined {
  return ['on', 'off'].includes(value) ? undefined : 'must be on or off';
}

function notPostgres(value: string): string | undefined {
  const isPostgres = URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol);
  return value === '' || isPostgres
    ? undefined
    : 'must be an address such as postgres://user:password@host:5432/database';
}
