import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointName } from '../../../exporter/agent/checkpoint-name.ts';
import { temporaryDirectory } from '../../servers/temporary-directory.ts';

describe('checkpointName', () => {
  it.each([
    ['agent-001', 'agent-agent-001.jsonl'],
    ['rack 1/node', 'agent-rack%201%2Fnode.jsonl'],
    ['..', 'agent-...jsonl'],
    ['x'.repeat(100), `agent-${'x'.repeat(100)}.jsonl`],
  ])('spells the id "%s" as it is, where a file name may', (agentId, name) => {
    expect(checkpointName(agentId)).toBe(name);
  });

  it.each(['x'.repeat(101), 'ü'.repeat(128), '机'.repeat(128), '/'.repeat(1000)])(
    'shortens the id "%s" to a name that a file system takes',
    (agentId) => {
      const name = checkpointName(agentId);
      expect(name).toMatch(/^agent-.{100}-[0-9a-f]{16}\.jsonl$/);
      writeFileSync(join(temporaryDirectory(), `${name}.lock-journal`), '');
    },
  );

  it('gives long ids that begin alike names of their own', () => {
    const names = ['a', 'b'].map((end) => checkpointName('ü'.repeat(100) + end));
    expect(new Set(names).size).toBe(2);
  });
});
