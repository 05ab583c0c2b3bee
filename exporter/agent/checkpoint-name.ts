/** The name of a checkpoint that nobody chose a file for. */

import { createHash } from 'node:crypto';

// File systems take 255 bytes; the lock, the copy and the file in the making have longer names than the checkpoint.
const maxLength = 100;

/** A file name of its own for every agent, whatever its id holds and however long it is. */
export function checkpointName(agentId: string): string {
  const encoded = encodeURIComponent(agentId);
  return `agent-${encoded.length <= maxLength ? encoded : shortened(encoded)}.jsonl`;
}

function shortened(encoded: string): string {
  const hash = createHash('sha256').update(encoded).digest('hex').slice(0, 16);
  return `${encoded.slice(0, maxLength)}-${hash}`;
}
