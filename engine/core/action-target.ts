/** Whom an alert is about, by its labels: a GPU or a node that the fleet has, or neither. Never everything. */
import type { FiringAction } from './action.ts';
import type { GpuRecord } from './fleet.ts';
import type { Policy } from './policy.ts';

/** What an alert may name a GPU by, besides the policy's identity label. */
const GPU_LABELS = ['UUID', 'uuid', 'gpu_uuid'];
/** The GPU's index on its node, as DCGM has it; some exporters put the UUID there. */
const INDEX_LABEL = 'gpu';
/** What an alert may name a node by, besides the policy's identity label. */
const NODE_LABELS = ['instance', 'node', 'Hostname', 'hostname'];

type Labels = Readonly<Record<string, string>>;

type Target = Pick<FiringAction, 'gpu' | 'node' | 'isKnown'>;

/** The GPUs and nodes that alerts can be about. */
export interface Directory {
  /** Known nodes. */
  readonly nodes: ReadonlySet<string>;
  targetOf(labels: Labels): Target;
}

/** Labels that tell whom an alert is about, most telling first. */
export function targetLabels({ identity }: Pick<Policy, 'identity'>): readonly string[] {
  return [...new Set([identity.gpu, ...GPU_LABELS, INDEX_LABEL, identity.node, ...NODE_LABELS])];
}

/**
 * A label that names a GPU decides, also when the fleet does not have that GPU: an alert about one GPU never reaches the
 * others of its node. Without one, the first label that names a known node decides.
 */
export function directoryOf({ identity }: Pick<Policy, 'identity'>, gpus: ReadonlyMap<string, GpuRecord>): Directory {
  const nodes = new Set<string>();
  for (const { node } of gpus.values()) nodes.add(node);
  const [gpuLabels, nodeLabels] = [unique(identity.gpu, GPU_LABELS), unique(identity.node, NODE_LABELS)];
  const indexed = remembered(() => byNodeAndIndex(gpus));
  const idAt = (node: string | undefined, index: string) => (node && indexed().get(place(node, index))) ?? '';
  const targetOf = (labels: Labels): Target => {
    const known = gpus.get(firstOf(labels, gpuLabels, (id) => gpus.has(id)) ?? '');
    if (known !== undefined) return { gpu: known.gpu, node: known.node, isKnown: true };
    const named = firstOf(labels, nodeLabels, (name) => nodes.has(name));
    const node = named ?? firstOf(labels, nodeLabels);
    const id = firstOf(labels, gpuLabels);
    const index = labels[INDEX_LABEL] ?? '';
    if (id === undefined && index === '') return { gpu: undefined, node, isKnown: named !== undefined };
    const byIndex = id === undefined ? gpus.get(gpus.has(index) ? index : idAt(named, index)) : undefined;
    if (byIndex !== undefined) return { gpu: byIndex.gpu, node: byIndex.node, isKnown: true };
    return { gpu: id ?? index, node, isKnown: false };
  };
  return { nodes, targetOf };
}

function unique(own: string, others: readonly string[]): readonly string[] {
  return [...new Set([own, ...others])];
}

/** The first value under those names that is wanted; a label without a value is no label. */
function firstOf(
  labels: Labels,
  names: readonly string[],
  isWanted: (value: string) => boolean = () => true,
): string | undefined {
  for (const name of names) {
    const value = labels[name] ?? '';
    if (value !== '' && isWanted(value)) return value;
  }
  return undefined;
}

function place(node: string, index: string): string {
  return `${index} ${node}`;
}

function byNodeAndIndex(gpus: ReadonlyMap<string, GpuRecord>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { gpu, node, labels } of gpus.values()) {
    const index = labels[INDEX_LABEL];
    if (index !== undefined) found.set(place(node, index), gpu);
  }
  return found;
}

/** Few alerts name a GPU by its index, and looking at every GPU for them is worth doing once. */
function remembered<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
