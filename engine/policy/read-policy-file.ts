import { readFile } from 'node:fs/promises';

/** The text of a policy file; the only place in engine/policy that touches the disk. Rejects like `readFile`. */
export async function readPolicyFile(path: string, signal?: AbortSignal): Promise<string> {
  return readFile(path, { encoding: 'utf8', ...(signal === undefined ? {} : { signal }) });
}
