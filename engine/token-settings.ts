/** Secrets that callers show. They have no flag: every user of a machine can read its command lines. */
import type { Setting } from './config.ts';

export interface TokenConfig {
  /** Of operators, who may write anything. */
  readonly token: string | undefined;
  /** Of agents, which may register, change and remove themselves, and nothing else. */
  readonly registrationToken: string | undefined;
}

export const TOKEN_SETTINGS = [
  {
    env: 'GPU_UPTIME_TOKEN',
    default: '',
    help: 'Bearer token for writes; needed when not listening on loopback only.',
    problem: notToken,
  },
  {
    env: 'AGENT_REGISTRATION_TOKEN',
    default: '',
    help: 'Bearer token for agents that register themselves; good for nothing else.',
    problem: notToken,
  },
] as const satisfies readonly Setting[];

type Names = (typeof TOKEN_SETTINGS)[number]['env'];

export function tokenConfig(get: (name: Names) => string): TokenConfig {
  return {
    token: get('GPU_UPTIME_TOKEN') || undefined,
    registrationToken: get('AGENT_REGISTRATION_TOKEN') || undefined,
  };
}

const MIN_TOKEN_LENGTH = 16;

function notToken(value: string): string | undefined {
  if (value === '' || value.length >= MIN_TOKEN_LENGTH) return undefined;
  return `must have at least ${MIN_TOKEN_LENGTH} characters; \`openssl rand -hex 16\` makes one`;
}
