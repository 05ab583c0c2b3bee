import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyJsonSchema, schemaAt } from '../../../engine/policy/json-schema.ts';

const COMMITTED = new URL('../../../rules/policy.schema.json', import.meta.url);

describe('rules/policy.schema.json', () => {
  it('is what the schema generates', () => {
    const isFresh = readFileSync(COMMITTED, 'utf8') === policyJsonSchema();
    expect(isFresh, 'rules/policy.schema.json is out of date; run: npm run gpu-uptime -- schema').toBe(true);
  });

  it('describes every key and names its variable', () => {
    expect(undescribed(JSON.parse(policyJsonSchema()), '')).toEqual([]);
    expect(policyJsonSchema()).toContain('Environment: GPU_HEALTH_CHECK_INTERVAL (s).');
  });

  it('refuses unknown keys and knows defaults', () => {
    expect(schemaAt([])).toMatchObject({ additionalProperties: false });
    expect(schemaAt(['delay', 'first_multiplier'])).toMatchObject({ default: 10 });
    expect(schemaAt(['capabilities', 'any', 'checks', 'vram', 'min'])).toMatchObject({ type: 'number' });
    expect(schemaAt(['nothing'])).toBeUndefined();
  });
});

describe('the shipped policies', () => {
  it.each(['policy.yml', 'policy.inference.yml', 'policy.local.yml'])('%s names the schema for editors', (name) => {
    const [first] = readFileSync(new URL(`../../../rules/${name}`, import.meta.url), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=./policy.schema.json');
  });
});

/** Paths of properties without a description. */
function undescribed(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const properties =
    'properties' in node && typeof node.properties === 'object' ? Object.entries(node.properties ?? {}) : [];
  const silent = properties.filter(([, child]) => typeof child === 'object' && !('description' in child));
  return [
    ...silent.map(([name]) => `${path}/${name}`),
    ...properties.flatMap(([name, child]) => undescribed(child, `${path}/${name}`)),
  ];
}
