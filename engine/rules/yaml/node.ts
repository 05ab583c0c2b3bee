/** YAML as it was written: texts are not yet numbers or dates, aliases not yet what they stand for. */
import type { ScalarText } from './scalar-text.ts';

interface Place {
  /** Offsets into the source, half open. */
  readonly start: number;
  readonly end: number;
}

export type ScalarNode = Place & {
  readonly kind: 'scalar';
  /** Empty when none is written. */
  readonly tag: string;
  readonly isPlain: boolean;
  readonly value: ScalarText;
};
export type SequenceNode = Place & { readonly kind: 'sequence'; readonly items: YamlNode[] };
export type MappingNode = Place & { readonly kind: 'mapping'; readonly pairs: [key: YamlNode, value: YamlNode][] };
export type AliasNode = Place & { readonly kind: 'alias'; readonly name: string; readonly target: YamlNode };
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

/** What a node stands for once aliases are followed. */
export function followAlias(node: YamlNode): Exclude<YamlNode, AliasNode> {
  return node.kind === 'alias' ? followAlias(node.target) : node;
}
