/** Connections to one kind of server, each with the certificates as they are when it begins. */
import { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { messageOf } from '../text/message-of.ts';
import { type Pems, readPems, reasonOf } from './certificates.ts';
import type { TextSource, TlsSettings } from './settings.ts';
import { CredentialError } from './text-source.ts';

export interface Connections {
  readonly dispatcher: Dispatcher;
  /** Lets running requests end, and breaks off what is left after `deadlineMs`. Every call is one more deadline. */
  close(deadlineMs?: number): Promise<void>;
}

/** Beside undici's own: how connections begin. */
export interface Limits extends Omit<Agent.Options, 'connect'> {
  /** The longest that a connection may take to begin. */
  readonly connectTimeoutMs?: number;
}

export function openConnections(tls: TlsSettings, limits: Limits): Connections {
  const { connectTimeoutMs = 10_000, ...options } = limits;
  const end = new AbortController();
  const socket = { timeout: connectTimeoutMs };
  const dispatcher = new Agent({ ...options, connect: connectorOf(tls, socket, end.signal) });
  let closed: Promise<void> | undefined;
  const breakOff = () => {
    // undici waits for connections that are about to begin, whatever becomes of it.
    end.abort();
    void dispatcher.destroy();
  };
  const close = async (deadlineMs?: number) => {
    closed ??= dispatcher.close();
    const late = deadlineMs === undefined ? undefined : setTimeout(breakOff, deadlineMs);
    await closed;
    clearTimeout(late);
  };
  return { dispatcher, close };
}

type Connect = buildConnector.connector;

/** A connector that reads the certificates for every new connection, and starts anew when they have changed. */
export function connectorOf(tls: TlsSettings, socket: buildConnector.BuildOptions, end: AbortSignal): Connect {
  let current: { readonly pem: string; readonly connect: Connect } | undefined;
  const connectPlain = buildConnector(socket);
  const use = async (protocol: string) => {
    // What TLS needs costs more than a whole request without it.
    if (protocol !== 'https:') return connectPlain;
    const pems = await readPems(tls);
    const pem = JSON.stringify(pems);
    // The same connector keeps its TLS sessions, which saves a handshake.
    if (current?.pem !== pem) current = { pem, connect: buildConnector({ ...optionsOf(tls, pems), ...socket }) };
    return current.connect;
  };
  return (options, callback) => {
    // What is thrown on the way, say for a certificate that is half written, fails this request and not the process.
    use(options.protocol)
      .then((connect) => connectUntil(end, connect, options, callback))
      .catch((error: unknown) => callback(credentialError(error), null));
  };
}

function credentialError(cause: unknown): CredentialError {
  return cause instanceof CredentialError ? cause : new CredentialError(messageOf(cause), { cause });
}

function connectUntil(end: AbortSignal, connect: Connect, ...[options, callback]: Parameters<Connect>): void {
  const breakOff = () => {
    if (socket instanceof Socket) socket.destroy(new Error('the connection is not wanted any more'));
  };
  const socket: unknown = connect(options, (...outcome) => {
    end.removeEventListener('abort', breakOff);
    callback(...outcome);
  });
  end.addEventListener('abort', breakOff);
  if (end.aborted) breakOff();
}

function optionsOf(tls: TlsSettings, pems: Pems): buildConnector.BuildOptions {
  const { serverName, skipsVerification } = tls;
  return {
    allowH2: false,
    rejectUnauthorized: !skipsVerification,
    secureContext: contextOf(tls, pems),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function contextOf({ minVersion, maxVersion, ca, cert, key }: TlsSettings, pems: Pems): SecureContext {
  const versions = { ...(minVersion && { minVersion }), ...(maxVersion && { maxVersion }) };
  try {
    return createSecureContext({ ...pems, ...versions });
  } catch (cause) {
    const files = [ca, cert, key].flatMap((source) => fileOf(source) ?? []);
    const where = files.length === 0 ? '' : ` (${files.join(', ')})`;
    throw new Error(`the certificate or key for TLS cannot be used: ${reasonOf(cause)}${where}`, { cause });
  }
}

function fileOf(source: TextSource | undefined): string | undefined {
  return source !== undefined && 'file' in source ? source.file : undefined;
}
