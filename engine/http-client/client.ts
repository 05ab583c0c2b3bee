/** Connections and credentials for one kind of server. */
import { readFile } from 'node:fs/promises';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { Credentials, HttpClientSettings, TextSource, TlsSettings } from './settings.ts';

export interface HttpClient {
  /** Opens connections as the settings say. */
  readonly dispatcher: Dispatcher;
  readonly followsRedirects: boolean;
  /** The headers that authenticate a request. Files are read anew, so a rotated secret needs no reload. Rejects with a sentence. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Ends connections once their requests are answered; a second call does nothing more. */
  close(): Promise<void>;
}

type Connect = buildConnector.connector;

/** `limits` are undici's: connections, timeouts, the largest answer. */
export function openHttpClient(
  settings: HttpClientSettings,
  limits: Omit<Agent.Options, 'connect'> & { readonly connectTimeoutMs?: number } = {},
): HttpClient {
  const { connectTimeoutMs = 10_000, ...options } = limits;
  let closing: Promise<void> | undefined;
  const dispatcher = new Agent({ ...options, connect: connectorOf(settings.tls, connectTimeoutMs) });
  return {
    dispatcher,
    followsRedirects: settings.followsRedirects,
    headers: async () => credentialHeaders(settings.credentials),
    close: () => {
      closing ??= dispatcher.close();
      return closing;
    },
  };
}

/** A connector that reads the certificates for every new connection, and starts anew when they have changed. */
function connectorOf(tls: TlsSettings, timeout: number): Connect {
  let current: { readonly pem: string; readonly connect: Connect } | undefined;
  const use = async () => {
    const files = await readPems(tls);
    const pem = JSON.stringify(files);
    // The same connector keeps its TLS sessions, which saves a handshake.
    if (current?.pem !== pem) current = { pem, connect: buildConnector({ ...tlsOptions(tls), ...files, timeout }) };
    return current.connect;
  };
  return (options, callback) => {
    use().then(
      (connect) => connect(options, callback),
      (error: Error) => callback(error, null),
    );
  };
}

type Pems = Partial<Record<'ca' | 'cert' | 'key', string>>;

async function readPems({ ca, cert, key }: TlsSettings): Promise<Pems> {
  const wanted = Object.entries({ ca, cert, key }).flatMap(([name, source]) => (source ? [{ name, source }] : []));
  return Object.fromEntries(await Promise.all(wanted.map(async ({ name, source }) => [name, await textOf(source)])));
}

function tlsOptions({ serverName, minVersion, maxVersion, skipsVerification }: TlsSettings) {
  return {
    allowH2: false,
    rejectUnauthorized: !skipsVerification,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

async function credentialHeaders(credentials: Credentials | undefined): Promise<Record<string, string>> {
  if (credentials === undefined) return {};
  if (credentials.kind === 'token') {
    return { authorization: `${credentials.scheme} ${(await textOf(credentials.token)).trim()}` };
  }
  const [username, password] = await Promise.all([textOf(credentials.username), textOf(credentials.password)]);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** Files end in a line break that is not part of the secret. */
async function textOf(source: TextSource): Promise<string> {
  if ('text' in source) return source.text;
  try {
    return (await readFile(source.file, 'utf8')).trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${source.file} cannot be read: ${reason}`, { cause });
  }
}
