/** Where the exporter's readings come from, in a few words: simulated GPUs must never pass for real ones. */
import { z } from 'zod';

const ANSWER_MS = 2_000;

const Health = z.object({ source: z.string(), gpus: z.number(), last_error: z.string().nullable() });

/** What `/health` of the exporter says; undefined where it says nothing. Never rejects. */
export async function gpuSource(exporterUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${exporterUrl}/health`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return describeGpuSource(Health.parse(await response.json()));
  } catch {
    return undefined;
  }
}

export function describeGpuSource({ source, gpus, last_error: error }: z.infer<typeof Health>): string {
  const count = `${gpus} ${source === 'mock' ? 'simulated ' : ''}${gpus === 1 ? 'GPU' : 'GPUs'}`;
  if (gpus > 0) return source === 'mock' ? count : `${count} (${source})`;
  return error === null ? `no GPU yet (${source})` : `no GPU yet (${source}): ${error}`;
}
