/** Where every effective value came from: built in, the policy file, or the environment. */
import { type Environment, settingVariable } from './environment-layer.ts';
import { leafPaths, type Mapping, valueAt } from './tree.ts';
import type { YamlDocument, YamlPath } from './yaml.ts';

export type Origin =
  | { readonly kind: 'default'; readonly derivedFrom?: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string; readonly text: string };

/** One effective value, in the policy file's own units and names. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: Origin;
}

/** What a policy is made of, lowest precedence first. */
export interface Layers {
  readonly derived: Mapping;
  readonly file: Mapping;
  readonly environment: Mapping;
  readonly document: YamlDocument;
  readonly env: Environment;
}

/** The origin of the value at `path`: the highest layer that sets it. */
export function originOf(layers: Layers, path: YamlPath): Origin {
  const { derived, file, environment, document, env } = layers;
  const variable = valueAt(environment, path) === undefined ? undefined : settingVariable(env, path.map(String));
  if (variable !== undefined) return { kind: 'environment', ...variable };
  if (valueAt(file, path) !== undefined) {
    return { kind: 'file', file: document.file, line: document.locate(path, 'key').line };
  }
  const derivedFrom = DERIVED_FROM[path.join('.')];
  const isDerived = derivedFrom !== undefined && valueAt(derived, path) !== undefined;
  return isDerived ? { kind: 'default', derivedFrom } : { kind: 'default' };
}

const DERIVED_FROM: Readonly<Record<string, string>> = {
  backfill: '2 x longest window',
  'presence.fresh': '2 x interval',
};

/** Every leaf of the effective tree with its origin, in the order of the schema. */
export function settingsOf(layers: Layers, effective: Mapping): readonly Setting[] {
  return leafPaths(effective).map((path) => ({
    path,
    value: valueAt(effective, path),
    origin: originOf(layers, path),
  }));
}

/** `rules/policy.yml:12`, `env GPU_MAX_TEMPERATURE`, `default`, `default (2 x interval)`. */
export function formatOrigin(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}`;
  if (origin.kind === 'environment') return `env ${origin.name}`;
  return origin.derivedFrom === undefined ? 'default' : `default (${origin.derivedFrom})`;
}
