/** The silences of the Alertmanagers: what any of the peers knows, the newest version of each. */
import { z } from 'zod';
import type { Silence } from '../core/maintenance-span.ts';
import type { HttpClient } from '../http-client/client.ts';
import { exchange } from '../http-client/exchange.ts';
import { messageOf } from '../text/message-of.ts';
import { parseJson } from '../text/parse-json.ts';

export interface SilencePeer {
  /** Base URL of the Alertmanager, with or without a path prefix. */
  readonly url: string;
  readonly client: HttpClient;
}

export interface SilencePoll {
  /** By id; what an Alertmanager has collected as garbage is missing, which says nothing about it. */
  readonly silences: readonly Silence[];
  readonly answers: readonly PeerAnswer[];
}

interface PeerAnswer {
  readonly url: string;
  /** Why the peer told nothing; undefined when it answered. */
  readonly failure: string | undefined;
}

/** Ten thousand long silences fit; a lying peer must not fill the memory. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_SILENCES = 10_000;
const TIMEOUT_MS = 10_000;

/** Asks every peer at once. They gossip, so one that answers is enough. Never throws. */
export async function pollSilences(peers: readonly SilencePeer[], signal: AbortSignal): Promise<SilencePoll> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const polled = await Promise.all(peers.map(async (peer) => ({ url: peer.url, ...(await ask(peer, limit)) })));
  const newest = new Map<string, Silence>();
  for (const silence of polled.flatMap(({ silences }) => silences)) {
    const other = newest.get(silence.id);
    if (other === undefined || silence.updatedAtMs > other.updatedAtMs) newest.set(silence.id, silence);
  }
  return { silences: [...newest.values()], answers: polled.map(({ url, failure }) => ({ url, failure })) };
}

interface Told {
  readonly silences: readonly Silence[];
  readonly failure: string | undefined;
}

async function ask({ url, client }: SilencePeer, signal: AbortSignal): Promise<Told> {
  try {
    const answer = await exchange(client, {
      method: 'GET',
      url: `${url.replace(/\/+$/, '')}/api/v2/silences`,
      headers: { accept: 'application/json' },
      signal,
      maxBytes: MAX_ANSWER_BYTES,
    });
    if (answer.status !== 200) return failed(`answered ${answer.status}: ${answer.text.trim().slice(0, 200)}`);
    return decodeSilences(answer.text);
  } catch (error) {
    return failed(messageOf(error));
  }
}

function failed(failure: string): Told {
  return { silences: [], failure };
}

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** Alertmanagers before 0.22 know no negative matchers, and leave `isEqual` out. */
const SILENCE = z.object({
  id: z.string().min(1).max(200),
  matchers: z
    .array(
      z.object({
        name: z.string().max(1000),
        value: z.string().max(10_000),
        isRegex: z.boolean(),
        isEqual: z.boolean().default(true),
      }),
    )
    .min(1)
    .max(100),
  startsAt: instant,
  endsAt: instant,
  updatedAt: instant,
  createdBy: z.string().max(1000),
  comment: z.string().max(10_000),
});

/** One entry that makes no sense must not hide the others; it is left out, and what is known of it stays. */
function decodeSilences(text: string): Told {
  const body = parseJson(text);
  if (!Array.isArray(body)) return failed('answered with what is not a list of silences; check its address');
  if (body.length > MAX_SILENCES) return failed(`told of ${body.length} silences; at most ${MAX_SILENCES} are read`);
  const read = body.map((entry) => SILENCE.safeParse(entry).data);
  const silences = read.flatMap((entry) => (entry === undefined ? [] : [silenceOf(entry)]));
  const unread = read.length - silences.length;
  return { silences, failure: unread === 0 ? undefined : `told of ${unread} silences that cannot be read` };
}

function silenceOf({ startsAt, endsAt, updatedAt, ...rest }: z.output<typeof SILENCE>): Silence {
  return { ...rest, startsAtMs: startsAt, endsAtMs: endsAt, updatedAtMs: updatedAt };
}
