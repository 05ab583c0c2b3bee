/** One POST of alerts to one Alertmanager. */
import { fetch } from 'undici';
import type { PostableAlert } from './payload.ts';

export type PostOutcome =
  | { readonly kind: 'accepted' }
  /** The content is at fault: sending it again cannot help. The valid alerts of the batch were stored. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The peer or the way to it is at fault: worth another try. */
  | { readonly kind: 'failed'; readonly reason: string };

const BLAMES_CONTENT = [400, 413, 422];

/** Posts a batch to the Alertmanager at `url`, a base URL with or without a path prefix. Never throws. */
export async function postAlerts(
  url: string,
  alerts: readonly PostableAlert[],
  signal: AbortSignal,
): Promise<PostOutcome> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
      redirect: 'manual',
      signal,
    });
    const text = await response.text();
    return outcomeOf(response.status, response.headers.get('location') ?? text);
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) };
  }
}

function outcomeOf(status: number, detail: string): PostOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  // A redirect would carry alerts to a place that nobody configured.
  if (status >= 300 && status < 400) {
    return { kind: 'failed', reason: `answered ${status}, a redirect to ${detail}; configure that URL if it is right` };
  }
  const reason = `answered ${status}: ${detail.trim().slice(0, 300)}`;
  return { kind: BLAMES_CONTENT.includes(status) ? 'rejected' : 'failed', reason };
}

/** fetch says only "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'did not answer in time';
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
