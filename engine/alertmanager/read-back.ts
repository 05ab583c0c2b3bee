/** What an Alertmanager really holds: it may drop alerts without a word, or start anew without any. */
import type { HttpClient } from '../http-client/client.ts';
import { exchange } from '../http-client/exchange.ts';
import { messageOf } from '../text/message-of.ts';
import { parseJson } from '../text/parse-json.ts';

/** Fingerprints of the alerts that are active at an Alertmanager, or why they cannot be known. */
export type Held = { readonly kind: 'held'; readonly fingerprints: ReadonlySet<string> } | HeldFailure;

interface HeldFailure {
  readonly kind: 'failed';
  readonly reason: string;
}

/** Some fifty thousand alerts. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Asks the Alertmanager whose alerts are posted to `url`. Never throws. */
export async function readHeld(client: HttpClient, url: string, signal: AbortSignal): Promise<Held> {
  try {
    const accept = { accept: 'application/json' };
    const wanted = { method: 'GET' as const, url, headers: accept, signal, maxBytes: MAX_ANSWER_BYTES };
    const { status, text } = await exchange(client, wanted);
    if (status === 200) return heldIn(text);
    return { kind: 'failed', reason: `answered ${status}: ${text.trim().slice(0, 300)}` };
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

function heldIn(text: string): Held {
  const body = parseJson(text);
  if (!Array.isArray(body)) return { kind: 'failed', reason: 'answered with something other than a list of alerts' };
  return { kind: 'held', fingerprints: new Set(body.flatMap(fingerprintIn)) };
}

function fingerprintIn(alert: unknown): string[] {
  const fingerprint: unknown =
    typeof alert === 'object' && alert !== null ? Reflect.get(alert, 'fingerprint') : undefined;
  return typeof fingerprint === 'string' ? [fingerprint] : [];
}
