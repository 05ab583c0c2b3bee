/** A policy made ready to judge with: capabilities that judge alike share one profile, patterns are compiled once. */
import { RE2JS } from 're2js';
import type { Capability, Check, Policy, UptimeWindow } from './policy.ts';
import { checkQuery } from './queries.ts';

interface PlannedCheck {
  readonly check: Check;
  /** Key of its readings in an observation. */
  readonly query: string;
}

/** One way of judging a GPU's ticks: a set of checks and the windows kept over the outcome. */
export interface Profile {
  readonly checks: readonly PlannedCheck[];
  readonly windows: readonly UptimeWindow[];
  /** Window lengths in ticks. */
  readonly lengths: readonly number[];
}

/** What a capability may select GPUs by. */
interface Selectable {
  readonly gpu: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PlannedCapability {
  readonly capability: Capability;
  readonly name: string;
  /** Index into the plan's profiles. */
  readonly profile: number;
  /** Whether a GPU may serve the capability at all, by its labels, its id and its node. */
  readonly serves: (gpu: Selectable) => boolean;
}

export interface Plan {
  readonly policy: Policy;
  readonly profiles: readonly Profile[];
  readonly capabilities: readonly [PlannedCapability, ...PlannedCapability[]];
}

/** Compiles a policy. Throws only on patterns that the policy loader has already refused. */
export function planPolicy(policy: Policy): Plan {
  const profiles = new Map<string, Profile>();
  const [first, ...rest] = policy.capabilities;
  const plan = (capability: Capability) => planCapability(policy, capability, profiles);
  const capabilities = [plan(first), ...rest.map(plan)] as const;
  return { policy, profiles: [...profiles.values()], capabilities: [...capabilities] };
}

function planCapability(policy: Policy, capability: Capability, profiles: Map<string, Profile>): PlannedCapability {
  const key = JSON.stringify([capability.checks, capability.windows]);
  if (!profiles.has(key)) profiles.set(key, profileOf(policy, capability));
  const profile = [...profiles.keys()].indexOf(key);
  return { capability, name: capability.name, profile, serves: matcherOf(policy, capability.gpus) };
}

function profileOf(policy: Policy, { checks, windows }: Capability): Profile {
  return {
    checks: checks.map((check) => ({ check, query: checkQuery(policy, check) })),
    windows,
    lengths: windows.map((window) => Math.round(window.rangeMs / policy.intervalMs)),
  };
}

function matcherOf({ identity }: Policy, patterns: Readonly<Record<string, string>>): PlannedCapability['serves'] {
  const matchers = Object.entries(patterns).map(([label, pattern]) => ({ label, matches: remembering(pattern) }));
  const labelOf = (label: string, { gpu, node, labels }: Selectable) => {
    if (label === identity.gpu) return gpu;
    return label === identity.node ? node : (labels[label] ?? '');
  };
  return (gpu) => matchers.every(({ label, matches }) => matches(labelOf(label, gpu)));
}

/** Values repeat at every tick, and matching costs more than looking up. */
function remembering(pattern: string): (value: string) => boolean {
  const regex = RE2JS.compile(pattern);
  const known = new Map<string, boolean>();
  return (value) => {
    const answer = known.get(value) ?? regex.matcher(value).matches();
    if (known.size < MAX_REMEMBERED) known.set(value, answer);
    return answer;
  };
}

const MAX_REMEMBERED = 100_000;

/** The capability that answers for `name`: itself where the policy lists it, `default` otherwise. */
export function capabilityFor(plan: Plan, name: string): PlannedCapability {
  return plan.capabilities.find((capability) => capability.name === name) ?? plan.capabilities[0];
}
