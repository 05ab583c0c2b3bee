/** Settings of the evaluation of rules: what Prometheus takes from its flags and its `global` section. */
import type { Setting } from './config.ts';
import { parseDuration } from './policy/duration.ts';

export interface RuleConfig {
  /** Of groups that say nothing. */
  readonly ruleDefaults: { readonly intervalMs: number; readonly queryOffsetMs: number };
  readonly forOutageToleranceMs: number;
  readonly forGracePeriodMs: number;
  readonly ruleGroupsAtOnce: number;
  /** Folder of what to do when a rule fires: one Markdown file per alert, named for it. */
  readonly runbooksDir: string;
  /** Where results of rules are written; undefined when they are not. */
  readonly remoteWriteUrl: string | undefined;
}

export const RULE_SETTINGS = [
  {
    env: 'RULE_EVALUATION_INTERVAL',
    flag: 'rule-evaluation-interval',
    default: '1m',
    help: 'Interval of rule groups that name none.',
    problem: notInterval,
  },
  {
    env: 'RULE_QUERY_OFFSET',
    flag: 'rule-query-offset',
    default: '0s',
    help: 'How far into the past the rules of groups that name no query_offset look.',
    problem: notDuration,
  },
  {
    env: 'RULE_FOR_OUTAGE_TOLERANCE',
    flag: 'rule-for-outage-tolerance',
    default: '1h',
    help: 'After a longer outage a pending alert waits its whole "for" again; a shorter is not counted.',
    problem: notDuration,
  },
  {
    env: 'RULE_FOR_GRACE_PERIOD',
    flag: 'rule-for-grace-period',
    default: '10m',
    help: 'Least wait of a pending alert after an outage above a minute; a shorter "for" starts over.',
    problem: notDuration,
  },
  {
    env: 'RULE_GROUPS_AT_ONCE',
    flag: 'rule-groups-at-once',
    default: '16',
    help: 'Rule groups that may ask Prometheus at the same time; at most half of them with a slow rule.',
    problem: notCount,
  },
  {
    env: 'RUNBOOKS_DIR',
    flag: 'runbooks-dir',
    default: 'rules/runbooks',
    help: 'Folder of the runbooks that the engine shows, `<alert>.md` each.',
    problem: notEmpty,
  },
  {
    env: 'REMOTE_WRITE_URL',
    flag: 'remote-write-url',
    default: 'auto',
    help: 'Where results of rules are written; auto is PROMETHEUS_URL, if it takes them; off writes none.',
    problem: notTarget,
  },
] as const satisfies readonly Setting[];

type Names = (typeof RULE_SETTINGS)[number]['env'];

export function ruleConfig(get: (name: Names) => string, prometheusUrl: string): RuleConfig {
  const ms = (name: Names) => parseDuration(get(name)) ?? 0;
  return {
    ruleDefaults: { intervalMs: ms('RULE_EVALUATION_INTERVAL'), queryOffsetMs: ms('RULE_QUERY_OFFSET') },
    forOutageToleranceMs: ms('RULE_FOR_OUTAGE_TOLERANCE'),
    forGracePeriodMs: ms('RULE_FOR_GRACE_PERIOD'),
    ruleGroupsAtOnce: Number(get('RULE_GROUPS_AT_ONCE')),
    runbooksDir: get('RUNBOOKS_DIR'),
    remoteWriteUrl: writeUrl(get('REMOTE_WRITE_URL'), prometheusUrl),
  };
}

function writeUrl(target: string, prometheusUrl: string): string | undefined {
  if (target === 'off') return undefined;
  return target === 'auto' ? `${prometheusUrl.replace(/\/+$/, '')}/api/v1/write` : target;
}

export function notEmpty(value: string): string | undefined {
  return value.trim() === '' ? 'must not be empty; leave it unset for the default' : undefined;
}

function notDuration(value: string): string | undefined {
  return parseDuration(value) === undefined ? 'must be a duration such as 30s, 5m or 1h' : undefined;
}

function notInterval(value: string): string | undefined {
  return notDuration(value) ?? (parseDuration(value) === 0 ? 'must be longer than 0' : undefined);
}

const MAX_AT_ONCE = 256;

function notCount(value: string): string | undefined {
  const isGood = /^[1-9]\d*$/.test(value) && Number(value) <= MAX_AT_ONCE;
  return isGood ? undefined : `must be a whole number from 1 to ${MAX_AT_ONCE}`;
}

function notTarget(value: string): string | undefined {
  if (value === 'auto' || value === 'off') return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return 'must be auto, off, or an address such as http://127.0.0.1:9090/api/v1/write';
  }
  const hasUserinfo = url.username !== '' || url.password !== '';
  return hasUserinfo ? 'must not contain a password; write it into PROMETHEUS_CLIENT_FILE' : undefined;
}
