/** Plain YAML data as nested mappings: reading a path, and laying one tree over another. */
import type { YamlPath } from './yaml.ts';

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined when there is none. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>((parent, step) => {
    if (Array.isArray(parent)) return parent[Number(step)];
    return isMapping(parent) && Object.hasOwn(parent, step) ? parent[step] : undefined;
  }, value);
}

/** A tree that holds only `value`, at `path`. */
export function treeOf(path: readonly string[], value: unknown): Mapping {
  const [first, ...rest] = path;
  if (first === undefined) throw new Error('a path needs at least one step');
  return { [first]: rest.length === 0 ? value : treeOf(rest, value) };
}

/** `tree` without the value at `path`, which may lie inside a list: then the whole list goes. */
export function without(tree: Mapping, path: YamlPath): Mapping {
  const [first, ...rest] = path;
  const child = tree[String(first)];
  if (rest.length > 0 && isMapping(child)) return { ...tree, [String(first)]: without(child, rest) };
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== String(first)));
}

/** A check has one bound, so a layer that sets a bound replaces the one below, whatever its kind. */
export const BOUNDS = ['min', 'max', 'equals'] as const;

/** `over` laid on `under`: mappings merge key by key, anything else replaces. */
export function overlay(under: Mapping, over: Mapping): Mapping {
  const setsBound = BOUNDS.some((bound) => Object.hasOwn(over, bound));
  const kept = setsBound ? BOUNDS.reduce<Mapping>((tree, bound) => without(tree, [bound]), under) : under;
  const merged = Object.entries(over).map(([key, value]) => {
    const below = Object.hasOwn(kept, key) ? kept[key] : undefined;
    return [key, isMapping(value) && isMapping(below) ? overlay(below, value) : value] as const;
  });
  return { ...kept, ...Object.fromEntries(merged) };
}

/** Every path that holds something other than a non-empty mapping, in order. */
export function leafPaths(tree: Mapping, prefix: readonly string[] = []): (readonly string[])[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = [...prefix, key];
    return isMapping(value) && Object.keys(value).length > 0 ? leafPaths(value, path) : [path];
  });
}
