/** Shakes hands with TLS clients under the settings of the moment, and hands their connections on. */

import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { clientRefusal } from './client-certificate.ts';
import type { TlsSettings } from './tls-settings.ts';

export interface TlsFront {
  /** Takes a fresh TCP connection; `serve` gets it once its client may come in. */
  accept(raw: Socket, tls: TlsSettings): void;
  /** Whether the connection was let in under these very settings. */
  isCurrent(socket: Socket, tls: TlsSettings): boolean;
}

export interface TlsFrontParts {
  readonly serve: (socket: TLSSocket) => void;
  readonly handshakeTimeoutMs: number;
  readonly onRefused: (address: string | undefined, reason: string) => void;
}

/** Certificates, versions, ciphers and the rules for clients are those given with each connection. */
export function createTlsFront(parts: TlsFrontParts): TlsFront {
  const cameInUnder = new WeakMap<Socket, TlsSettings>();
  let last: { readonly tls: TlsSettings; readonly server: Server } | undefined;

  function serverFor(tls: TlsSettings): Server {
    if (last?.tls !== tls) last = { tls, server: createHandshaker(tls) };
    return last.server;
  }

  // This server never listens: it is given connections one by one, so each can have other settings.
  function createHandshaker(tls: TlsSettings): Server {
    const server = createServer({ ...handshakeOptions(tls), handshakeTimeout: parts.handshakeTimeoutMs });
    server.on('tlsClientError', (error, socket) => refuse(socket, codeOf(error)));
    server.on('secureConnection', (socket) => {
      const refusal = refusalFor(socket, tls);
      if (refusal !== undefined) return refuse(socket, refusal);
      cameInUnder.set(socket, tls);
      parts.serve(socket);
    });
    return server;
  }

  function refuse(socket: TLSSocket, reason: string): void {
    parts.onRefused(socket.remoteAddress, reason);
    socket.destroy();
  }

  return {
    accept: (raw, tls) => onceSpeakingTls(raw, parts.handshakeTimeoutMs, () => serverFor(tls).emit('connection', raw)),
    isCurrent: (socket, tls) => cameInUnder.get(socket) === tls,
  };
}

function handshakeOptions({ context, clientAuth }: TlsSettings) {
  return {
    ...context,
    requestCert: clientAuth !== 'NoClientCert',
    // Node cannot ask for any certificate and take every one, so `refusalFor` decides for the other types.
    rejectUnauthorized: clientAuth === 'RequireAndVerifyClientCert',
    // Every HTTP/2 client agrees on this.
    ALPNProtocols: ['http/1.1'],
  };
}

// The message of an OpenSSL error is a line of hexadecimal digits and source files.
function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}

function refusalFor(socket: TLSSocket, tls: TlsSettings): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  const peer = certificate && { subjectAltName: certificate.subjectAltName, isVerified: socket.authorized };
  return clientRefusal(tls, peer);
}

const tlsHandshakeByte = 0x16;
const plainAnswer =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nAsk with https:// here.\n';

/** Waits for the first byte: who speaks plain HTTP is told so, instead of a connection that breaks. */
function onceSpeakingTls(raw: Socket, timeoutMs: number, goOn: () => void): void {
  raw.on('error', () => undefined);
  raw.setTimeout(timeoutMs, () => raw.destroy());
  raw.once('data', (first: Buffer) => {
    if (first[0] === tlsHandshakeByte) {
      raw.pause();
      raw.setTimeout(0);
      raw.unshift(first);
      goOn();
    } else raw.end(plainAnswer).resume();
  });
}
