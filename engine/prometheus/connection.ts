/** POSTs to Prometheus, for queries and for remote write. */
import { openHttpClient } from '../http-client/client.ts';
import { exchange, type HttpAnswer, type HttpRequest } from '../http-client/exchange.ts';
import { type HttpClientSettings, PLAIN_HTTP } from '../http-client/settings.ts';

export interface ConnectionOptions {
  /** Limit of one request. */
  readonly timeoutMs: number;
  /** Requests on the wire at once. */
  readonly concurrency: number;
  /** Credentials and TLS; redirects are never followed. None by default. */
  readonly http?: HttpClientSettings;
}

/** What can be done to every connection to Prometheus while it is in use. */
export interface Reconnectable {
  /** Uses other credentials and TLS settings from the next request on. Returns those in use until now. */
  use(http: HttpClientSettings): HttpClientSettings;
  /** Lets running requests end, and breaks off what is left after `deadlineMs`. */
  close(deadlineMs?: number): Promise<void>;
}

export interface Connection extends Reconnectable {
  /** Rejects with ExchangeError. */
  post(wanted: Omit<HttpRequest, 'method'>): Promise<HttpAnswer>;
}

export function openConnection({ timeoutMs, concurrency, http = PLAIN_HTTP }: ConnectionOptions): Connection {
  const client = openHttpClient(unredirected(http), {
    connections: concurrency,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connectTimeoutMs: timeoutMs,
  });
  return {
    post: (wanted) => {
      const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(timeoutMs)]);
      return exchange(client, { ...wanted, method: 'POST', signal });
    },
    use: (next) => client.use(unredirected(next)),
    close: (deadlineMs) => client.close(deadlineMs),
  };
}

/** A redirect means that the address in the configuration is not the right one, which is worth knowing. */
function unredirected(http: HttpClientSettings): HttpClientSettings {
  return { ...http, followsRedirects: false };
}
