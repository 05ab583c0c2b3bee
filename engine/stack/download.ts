/** Fetches one file to disk and hashes it on the way, giving up on silent hosts within seconds. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch, type Response } from 'undici';

export interface DownloadTimeouts {
  readonly connectMs: number;
  /** From the request to the first byte of the answer, whatever happens in between. */
  readonly answerMs: number;
  /** Longest silence inside the body. */
  readonly silenceMs: number;
  readonly totalMs: number;
}

export const DOWNLOAD_TIMEOUTS: DownloadTimeouts = {
  connectMs: 3_000,
  answerMs: 5_000,
  silenceMs: 10_000,
  totalMs: 900_000,
};

export type Download =
  | { readonly kind: 'complete'; readonly sha256: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Writes what `url` answers to `file`. */
export async function download(url: string, file: string, timeouts: DownloadTimeouts): Promise<Download> {
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: timeouts.connectMs },
    bodyTimeout: timeouts.silenceMs,
  });
  try {
    const response = await firstByte(url, agent, timeouts);
    if (!response.ok || !response.body) return { kind: 'failed', reason: `${url} answered HTTP ${response.status}` };
    return { kind: 'complete', sha256: await save(response.body, file) };
  } catch (error) {
    return { kind: 'failed', reason: `${url} ${explain(error, timeouts)}` };
  } finally {
    await agent.destroy();
  }
}

async function firstByte(url: string, dispatcher: EnvHttpProxyAgent, timeouts: DownloadTimeouts): Promise<Response> {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(new Error('no answer')), timeouts.answerMs);
  const signal = AbortSignal.any([silent.signal, AbortSignal.timeout(timeouts.totalMs)]);
  try {
    return await fetch(url, { dispatcher, signal });
  } finally {
    clearTimeout(timer);
  }
}

async function save(body: AsyncIterable<Uint8Array>, file: string): Promise<string> {
  const hash = createHash('sha256');
  async function* hashed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(body, hashed, createWriteStream(file));
  return hash.digest('hex');
}

function explain(error: unknown, timeouts: DownloadTimeouts): string {
  const code = errorCode(error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'cannot be reached, its name does not resolve';
    case 'ECONNREFUSED':
      return 'refused the connection';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `did not accept a connection within ${timeouts.connectMs / 1000} s`;
    case 'UND_ERR_BODY_TIMEOUT':
      return `sent nothing for ${timeouts.silenceMs / 1000} s in the middle of the file`;
    case 'no answer':
      return `did not answer within ${timeouts.answerMs / 1000} s`;
    default:
      return `broke off (${code})`;
  }
}

/** fetch wraps the cause, sometimes twice; the innermost one names what happened. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return errorCode(error.cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
