/** What one capability is judged by: the policy's checks and windows with the capability's own laid over them. */
import { type CapabilityFile, type CheckFile, checks, type PolicyFile, type WindowFile, windows } from './schema.ts';
import { type Mapping, overlay } from './tree.ts';

export interface CapabilityView {
  readonly name: string;
  /** Path of its mapping in the policy file; empty for `default`, which is the policy itself. */
  readonly path: readonly string[];
  readonly checks: Readonly<Record<string, CheckFile>>;
  readonly windows: Readonly<Record<string, WindowFile>>;
  readonly gpus: Readonly<Record<string, string>>;
}

/** All capabilities of a policy file, `default` first. Entries that are `off` are gone. */
export function capabilityViews(file: PolicyFile): readonly [CapabilityView, ...CapabilityView[]] {
  const named = Object.entries(file.capabilities).map(([name, capability]) => namedView(file, name, capability));
  const base = { name: 'default', path: [], checks: kept(file.checks), windows: kept(file.windows), gpus: {} };
  return [base, ...named];
}

function namedView(file: PolicyFile, name: string, capability: CapabilityFile): CapabilityView {
  return {
    name,
    path: ['capabilities', name],
    checks: kept({ ...file.checks, ...checks.parse(overridden(file.checks, capability.checks ?? {})) }),
    windows: kept({ ...file.windows, ...windows.parse(overridden(file.windows, capability.windows ?? {})) }),
    gpus: capability.gpus ?? {},
  };
}

/** The entries `own` names, each laid over the inherited one of the same name. */
function overridden(inherited: Mapping, own: Mapping): Mapping {
  const below = Object.entries(inherited).filter(([name]) => Object.hasOwn(own, name));
  return overlay(Object.fromEntries(below), own);
}

function kept<Entry extends object>(entries: Readonly<Record<string, Entry | 'off' | null>>): Record<string, Entry> {
  const isKept = (pair: [string, Entry | 'off' | null]): pair is [string, Entry] =>
    pair[1] !== 'off' && pair[1] !== null;
  return Object.fromEntries(Object.entries(entries).filter(isKept));
}
