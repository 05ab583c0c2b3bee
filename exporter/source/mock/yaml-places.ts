/** A YAML document as plain data, and where each part of it is written. */

import { load } from 'js-yaml';
import type { Diagnostic } from '../../diagnostic.ts';
import { type Place, type Problem, positionOf, readYaml, syntaxProblem, type YamlNode } from '../../yaml-tree.ts';

export type YamlPath = readonly (string | number)[];

export type YamlResult =
  | { readonly kind: 'read'; readonly value: unknown; readonly locate: Locate }
  | { readonly kind: 'broken'; readonly diagnostics: readonly Diagnostic[] };

/** Where a value, or its key, is written. What is not written at all is found at the nearest thing around it. */
export type Locate = (path: YamlPath, part: 'key' | 'value') => ReturnType<typeof positionOf>;

/** Reads one document. Nothing that `source` holds makes it throw. */
export function readPlacedData(source: string): YamlResult {
  const { root, problems } = readYaml(source, 'refuse');
  if (problems.length > 0) return broken(source, problems);
  const locate: Locate = (path, part) => positionOf(source, placeOf(root, path, part));
  try {
    return { kind: 'read', value: root === undefined ? undefined : load(source), locate };
  } catch (error) {
    // A tag that nobody knows is found only here.
    return broken(source, [syntaxProblem(source, error)]);
  }
}

function broken(source: string, problems: readonly Problem[]): YamlResult {
  const diagnostics = problems.map(({ place, message, fix }) => ({ ...positionOf(source, place), message, fix }));
  return { kind: 'broken', diagnostics };
}

interface Written {
  readonly node: YamlNode;
  readonly key: Place | undefined;
}

function placeOf(root: YamlNode | undefined, path: YamlPath, part: 'key' | 'value'): Place {
  let found: Written | undefined = root && { node: root, key: undefined };
  if (found === undefined) return { start: 0, end: 1 };
  for (const step of path) {
    const next: Written | undefined = below(found.node, step);
    if (next === undefined) return valuePlace(found);
    found = next;
  }
  return (part === 'key' ? found.key : undefined) ?? valuePlace(found);
}

function below(node: YamlNode, step: string | number): Written | undefined {
  if (node.kind === 'text') return undefined;
  if (node.kind === 'list') {
    const item = typeof step === 'number' ? node.items[step] : undefined;
    return item && { node: item, key: undefined };
  }
  const entry = node.entries.find(({ key }) => key === step);
  return entry && { node: entry.value, key: entry.keyPlace };
}

// A value that is not written at all, as in `key:`, is where its key is.
function valuePlace({ node: { place }, key }: Written): Place {
  return place.start === place.end ? (key ?? place) : place;
}
