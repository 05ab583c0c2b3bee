/** Policy-file section `ping`: how often agents are pinged, whose word counts, and whom the engine may ask at all. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { count, duration, finite, flag, oneOf, percent } from './fields.ts';

const MOST_CONFIRMATIONS = 10;
/** More would be never: at the longest interval they take three months. */
const MOST_RECOVERY_PINGS = 100;
const HIGHEST_PORT = 65_535;
/** All of them are in memory. */
const MOST_AGENTS = 100_000;

/** `10.0.0.0/8`, `fd00::/8`, or one address alone; none of the short or octal spellings that programs read differently. */
function isNetwork(text: string): boolean {
  const [, address = '', bits = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

const network = z
  .string()
  .superRefine((text, context) => {
    if (isNetwork(text)) return;
    const fix = 'write it like 10.0.0.0/8 or fd00::/8';
    context.addIssue({ code: 'custom', input: text, message: `"${text}" is not a network`, params: { fix } });
  })
  .meta({ title: 'network', description: 'A network in CIDR notation, or one address.' });

function networks(description: string) {
  return z.array(network).meta({ title: 'list of networks', description });
}

const suspect = z
  .strictObject({
    max_share: percent(
      'Suspect when more than this share of the agents pinged within the window were lost: had answered, and do not now.',
      true,
    ).default(50),
    window: duration('The span that counts as at once.', 1).default('5m'),
    min_agents: count('With fewer pings in the window nothing is suspected.').default(3),
    stretch: finite('Agents that fail meanwhile are asked again after this many intervals.', 1).default(2),
  })
  .meta({ description: 'When most agents fail at once the engine suspects itself: no failure counts, recoveries do.' });

/** Whom the engine may ask: agents choose their URLs themselves. */
const targets = {
  allow_schemes: z
    .array(oneOf(['http', 'https'], 'Scheme of an agent URL.'))
    .meta({ title: 'list of schemes', description: 'Schemes agent URLs may have.' })
    .default(['http', 'https']),
  allow_ports: z
    .array(z.int().gte(1).lte(HIGHEST_PORT).meta({ title: 'port', description: 'Port that an agent URL may have.' }))
    .meta({ title: 'list of ports', description: 'Ports agents may have. Empty: 80, 443 and those from 1024 on.' })
    .default([]),
  allow_networks: networks('Networks agents may be in, and no other. Empty: all that nothing else refuses.').default(
    [],
  ),
  deny_networks: networks('Networks agents may not be in, whatever else is allowed.').default([]),
  allow_loopback: flag('Whether agents may be on this machine (127.0.0.0/8, ::1).').default(false),
  allow_private: flag('Whether agents may have private addresses, such as 10.0.0.0/8.').default(false),
};

export const ping = z
  .strictObject({
    base_interval: duration('Time between pings of a healthy agent.', 1).default('15m'),
    uptime_threshold: percent('Uptime since the last ping that counts as good.', true).default(99),
    escalation_multiplier: finite('Each poor ping multiplies the interval by this.', 1).default(2),
    max_interval: duration('Longest interval.', 1).default('24h'),
    recovery_threshold_pings: count('Good pings in a row that end an escalation.', 1, MOST_RECOVERY_PINGS).default(3),
    first_ping_grace_period: flag('The first ping checks only that the GPU exists.').default(true),
    response_timeout: duration('Time an agent has to answer.', 1).default('10s'),
    max_concurrent_agents: count('Pings in flight at once.').default(100),
    max_agents: count('Agents that may be registered.', 1, MOST_AGENTS).default(10_000),
    history: duration('How long pings are kept.', 1).default('7d'),
    evidence: oneOf(
      ['agent', 'prometheus', 'both'],
      'Whose word on the uptime counts. both: the lower one, over the same span.',
    ).default('both'),
    min_coverage: percent('Share of the span Prometheus must have watched for its word to count.').default(50),
    observe: oneOf(
      ['pay', 'base'],
      'How often agents are looked at. pay: when their interval runs out; base: at the base interval, while the ' +
        'interval they are paid at escalates.',
    ).default('pay'),
    confirm: z
      .array(duration('Wait before asking again.', 1))
      .max(MOST_CONFIRMATIONS)
      .meta({
        title: 'list of durations',
        description: 'Waits before an agent that fails is asked again; only then does the failure count.',
      })
      .default(['2s', '4s', '8s']),
    max_retry_after: duration('Longest Retry-After of an agent that is honoured.').default('5m'),
    grace_interval: duration('A restarted agent is let off at most once in this time.', 1).default('24h'),
    catch_up: duration('Pings that fell due while the engine was down are spread over this time.').default('5m'),
    suspect: suspect.prefault({}),
    ...targets,
  })
  .meta({ description: 'Pings of registered agents.' });
