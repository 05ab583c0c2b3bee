/** The policy file's JSON Schema: what editors complete and check, and what messages name and suggest. */
import { z } from 'zod';
import { ENVIRONMENT } from './environment.ts';
import { policyFile } from './schema.ts';
import type { YamlPath } from './yaml.ts';

type SchemaNode = z.core.JSONSchema.BaseSchema;

const SCHEMA: SchemaNode = z.toJSONSchema(policyFile, { io: 'input' });

/** The text of `rules/policy.schema.json`, generated from the schema and the table of environment variables. */
export function policyJsonSchema(): string {
  const schema = structuredClone(SCHEMA);
  for (const { name, path, unit } of ENVIRONMENT) {
    const node = nodeAt(schema, path);
    if (node)
      node.description =
        `${node.description ?? ''} Environment: ${name}${unit === '' ? '' : ` (${unit})`}.`.trimStart();
  }
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The schema of the value at `path` of a policy file; undefined where the file may hold nothing. */
export function schemaAt(path: YamlPath): SchemaNode | undefined {
  return nodeAt(SCHEMA, path);
}

function nodeAt(root: SchemaNode, path: YamlPath): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, step) => node && childOf(node, step), root);
}

function childOf(node: SchemaNode, step: string | number): SchemaNode | undefined {
  const { properties, additionalProperties, items } = mappingBranch(node);
  const candidates = [properties?.[step], additionalProperties, Array.isArray(items) ? items[0] : items];
  return candidates.find((candidate) => typeof candidate === 'object');
}

/** A check or window is a mapping or `off`; its keys are those of the mapping. */
function mappingBranch(node: SchemaNode): SchemaNode {
  return node.anyOf?.find((branch) => branch.type === 'object') ?? node;
}

/** Names of the keys a mapping at `path` may have; empty where the user chooses the names. */
export function knownKeys(path: YamlPath): string[] {
  const node = schemaAt(path);
  return node === undefined ? [] : Object.keys(mappingBranch(node).properties ?? {});
}
