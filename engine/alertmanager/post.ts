/** One POST of alerts to one Alertmanager. */
import type { HttpClient } from '../http-client/client.ts';
import { exchange, type HttpAnswer } from '../http-client/exchange.ts';
import { messageOf } from '../text/message-of.ts';
import type { PostableAlert } from './payload.ts';

export type PostOutcome =
  | { readonly kind: 'accepted' }
  /** The content is at fault: sending it again cannot help. The valid alerts of the batch were stored. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The peer or the way to it is at fault: worth another try, after `retryAfterMs` if the peer asks for it. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number };

export interface AlertPost {
  /** Where alerts are posted to, path included. */
  readonly url: string;
  readonly alerts: readonly PostableAlert[];
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch, for a Retry-After that names an instant. */
  readonly now: number;
}

const BLAMES_CONTENT = [400, 413, 422];
/** An Alertmanager answers with nothing, or with a sentence. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Posts a batch. Never throws. */
export async function postAlerts(client: HttpClient, { url, alerts, signal, now }: AlertPost): Promise<PostOutcome> {
  try {
    const answer = await exchange(client, {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
      signal,
      maxBytes: MAX_ANSWER_BYTES,
    });
    return outcomeOf(answer, now);
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

function outcomeOf({ status, headers, text }: HttpAnswer, now: number): PostOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  if (status >= 300 && status < 400) return { kind: 'failed', reason: redirectReason(status, headers.location) };
  const reason = `answered ${status}: ${text.trim().slice(0, 300)}`;
  if (BLAMES_CONTENT.includes(status)) return { kind: 'rejected', reason };
  const retryAfterMs = delayOf(headers['retry-after'], now);
  return { kind: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** A redirect would carry alerts to a place that nobody configured, or turn the POST into a GET that stores nothing. */
function redirectReason(status: number, location: unknown): string {
  return `answered ${status}, a redirect to ${String(location ?? 'nowhere')}; configure that URL if it is right`;
}

/** Milliseconds that a Retry-After header (RFC 9110: seconds, or a date) asks to wait. */
function delayOf(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
