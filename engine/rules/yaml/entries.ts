/** The entries of a mapping with `<<` followed: its own first, then those it merges in, each name once. */
import type { YamlFault } from './document.ts';
import { meaningOf } from './meaning.ts';
import { followAlias, type MappingNode, type YamlNode } from './node.ts';

interface YamlEntry {
  readonly name: string;
  readonly key: YamlNode;
  readonly value: YamlNode;
  readonly isMerged: boolean;
}

export interface YamlEntries {
  readonly entries: readonly YamlEntry[];
  readonly faults: readonly YamlFault[];
}

interface Collection {
  readonly entries: YamlEntry[];
  readonly faults: YamlFault[];
  /** How many more mappings may be merged in: merges of merges grow like powers. */
  budget: number;
}

// Merged mappings nest as deep as the file is long, and the stack does not.
const MAX_MERGES = 1000;

/** Never throws; keys that are null are left out, as Prometheus leaves them out. */
export function entriesOf(node: MappingNode): YamlEntries {
  const collection: Collection = { entries: [], faults: [], budget: MAX_MERGES };
  collect(node, collection, { taken: new Set(), isMerged: false });
  return collection;
}

interface Merging {
  /** Names that are set already. */
  readonly taken: Set<string>;
  readonly isMerged: boolean;
}

function collect(node: MappingNode, collection: Collection, { taken, isMerged }: Merging): void {
  const { entries, faults } = collection;
  faults.push(...duplicates(node));
  const own = node.pairs.filter(([key]) => !isMerge(key)).flatMap(([key, value]) => entryOf(key, value, faults));
  for (const entry of own) if (!taken.has(entry.name)) entries.push({ ...entry, isMerged });
  for (const { name } of own) taken.add(name);
  for (const [, value] of node.pairs.filter(([key]) => isMerge(key))) {
    for (const source of sourcesOf(value, faults)) merge(source, collection, taken);
  }
}

function merge(node: MappingNode, collection: Collection, taken: Set<string>): void {
  if (collection.budget === 0) {
    const message = `more than ${MAX_MERGES} mappings are merged here`;
    collection.faults.push({ start: node.start, end: node.end, message, fix: 'write the keys out' });
  }
  collection.budget--;
  if (collection.budget >= 0) collect(node, collection, { taken, isMerged: true });
}

function entryOf(key: YamlNode, value: YamlNode, faults: YamlFault[]): Omit<YamlEntry, 'isMerged'>[] {
  const target = followAlias(key);
  const meaning = target.kind === 'scalar' ? meaningOf(target) : undefined;
  if (meaning?.kind === 'null') return [];
  if (meaning !== undefined && meaning.kind !== 'misfit') return [{ name: meaning.text, key, value }];
  const message = meaning?.message ?? 'a key must be plain text';
  faults.push({ start: key.start, end: key.end, message, fix: 'quote it or rename it' });
  return [];
}

/** Keys are compared as they are written, so that null keys and merges count too. */
function duplicates(node: MappingNode): YamlFault[] {
  const seen = new Set<string>();
  return node.pairs.flatMap(([key]) => {
    const name = key.kind === 'scalar' ? key.value.text : key.kind === 'alias' ? key.name : '';
    const identity = `${key.kind} ${name}`;
    if (!seen.has(identity)) {
      seen.add(identity);
      return [];
    }
    return [{ start: key.start, end: key.end, message: `duplicate key "${name}"`, fix: 'keep one of the two' }];
  });
}

function isMerge(key: YamlNode): boolean {
  if (key.kind !== 'scalar' || key.value.text !== '<<') return false;
  return key.tag === 'tag:yaml.org,2002:merge' || (key.isPlain && (key.tag === '' || key.tag === '!'));
}

function sourcesOf(value: YamlNode, faults: YamlFault[]): readonly MappingNode[] {
  const sources = value.kind === 'sequence' ? value.items : [value];
  return sources.flatMap((source) => {
    const target = followAlias(source);
    if (target.kind === 'mapping') return [target];
    const fix = 'write "<<: *name", where &name anchors a mapping';
    faults.push({ start: source.start, end: source.end, message: '"<<" merges mappings only', fix });
    return [];
  });
}
