/** An SMTP server that accepts every message and keeps it; it offers no TLS and no login. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface SmtpSink {
  readonly port: number;
  /** Whole messages, headers included. */
  readonly messages: readonly string[];
  close(): Promise<void>;
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    converse(socket, (message) => messages.push(message));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await server[Symbol.asyncDispose]();
  };
  return { port: (server.address() as AddressInfo).port, messages, close };
}

function converse(socket: Socket, onMessage: (message: string) => void): void {
  let [unread, message] = ['', ''];
  let isData = false;
  const command = (line: string) => {
    isData = /^DATA/i.test(line);
    if (/^(EHLO|HELO)/i.test(line)) socket.write('250 sink\r\n');
    else if (isData) socket.write('354 go on\r\n');
    else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
    else socket.write('250 ok\r\n');
  };
  const dataLine = (line: string) => {
    isData = line !== '.';
    if (isData) message += `${line.replace(/^\.\./, '.')}\n`;
    else {
      onMessage(message);
      message = '';
      socket.write('250 kept\r\n');
    }
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const lines = `${unread}${chunk}`.split('\r\n');
    unread = lines.pop() ?? '';
    for (const line of lines) (isData ? dataLine : command)(line);
  });
  socket.write('220 sink\r\n');
}
