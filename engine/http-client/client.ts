/** Connections and credentials for one kind of server. */
import type { Dispatcher } from 'undici';
import { type Connections, type Limits, openConnections } from './connections.ts';
import type { Credentials, HttpClientSettings } from './settings.ts';
import { CredentialError, readTextSource } from './text-source.ts';

export interface HttpClient {
  /** Opens connections as the settings say; another one after `use`. */
  readonly dispatcher: Dispatcher;
  readonly followsRedirects: boolean;
  /** The headers that authenticate a request. Files are read anew, so a rotated secret needs no reload. Rejects with a sentence. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Follows other settings from the next request on; running ones end as they began. Returns the settings until now. */
  use(settings: HttpClientSettings): HttpClientSettings;
  /** Ends connections once their requests are answered, and what is left after `deadlineMs` at once. May be called again. */
  close(deadlineMs?: number): Promise<void>;
}

export function openHttpClient(first: HttpClientSettings, limits: Limits = {}): HttpClient {
  let settings = first;
  let connections = openConnections(first.tls, limits);
  const ending = new Set<Connections>();
  const end = async (old: Connections, deadlineMs?: number) => {
    ending.add(old);
    await old.close(deadlineMs);
    ending.delete(old);
  };
  return {
    get dispatcher() {
      return connections.dispatcher;
    },
    get followsRedirects() {
      return settings.followsRedirects;
    },
    headers: async () => credentialHeaders(settings.credentials),
    use: (next) => {
      const previous = settings;
      settings = next;
      if (JSON.stringify(next.tls) === JSON.stringify(previous.tls)) return previous;
      void end(connections);
      connections = openConnections(next.tls, limits);
      return previous;
    },
    close: async (deadlineMs) => {
      await Promise.all([connections, ...ending].map((each) => end(each, deadlineMs)));
    },
  };
}

/** The headers that authenticate a request. Rejects with CredentialError. */
export async function credentialHeaders(credentials: Credentials | undefined): Promise<Record<string, string>> {
  if (credentials === undefined) return {};
  if (credentials.kind === 'token') {
    return { authorization: `${credentials.scheme} ${sendable((await readTextSource(credentials.token)).trim())}` };
  }
  const [username, password] = await Promise.all([
    readTextSource(credentials.username),
    readTextSource(credentials.password),
  ]);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** A file that is being replaced may be empty for a moment, and one with two lines is no header. */
function sendable(token: string): string {
  if (/^[\x20-\x7e\x80-\xff]+$/.test(token)) return token;
  throw new CredentialError('the token is empty, or no single line of plain characters, so no header can carry it');
}
