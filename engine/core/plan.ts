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

export interface PlannedCapability {
  readonly capability: Capability;
  readonly name: string;
  /** Index into the plan's profiles. */
  readonly profile: number;
  /** Whether a GPU with these labels may serve the capability at all. */
  readonly serves: (labels: Readonly<Record<string, string>>) => boolean;
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
  return { capability, name: capability.name, profile, serves: matcherOf(capability.gpus) };
}

function profileOf(policy: Policy, { checks, windows }: Capability): Profile {
  return {
    checks: checks.map((check) => ({ check, query: checkQuery(policy, check) })),
    windows,
    lengths: windows.map((window) => Math.round(window.rangeMs / policy.intervalMs)),
  };
}

function matcherOf(patterns: Readonly<Record<string, string>>): PlannedCapability['serves'] {
  const compiled = Object.entries(patterns).map(([label, pattern]) => ({ label, regex: RE2JS.compile(pattern) }));
  return (labels) => compiled.every(({ label, regex }) => regex.matcher(labels[label] ?? '').matches());
}

/** The capability that answers for `name`: itself where the policy lists it, `default` otherwise. */
export function capabilityFor(plan: Plan, name: string): PlannedCapability {
  return plan.capabilities.find((capability) => capability.name === name) ?? plan.capabilities[0];
}
