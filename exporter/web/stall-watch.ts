/** Ends connections whose client does not take its answer. */

import type { Socket } from 'node:net';

export interface StallWatch {
  add(socket: Socket): void;
  start(): void;
  stop(): void;
}

/**
 * Ends a connection on which the same bytes wait for longer than `timeoutMs`, at the latest after twice that time.
 * Looking around now and then costs nothing; a timer per connection, as node:http has it, costs a fifth of all scrapes.
 */
export function createStallWatch(timeoutMs: number): StallWatch {
  const sentWhenWaiting = new Map<Socket, number | undefined>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    for (const [socket, seen] of sentWhenWaiting) {
      const sent = socket.writableLength > 0 ? socket.bytesWritten : undefined;
      if (sent !== undefined && sent === seen) socket.destroy();
      else sentWhenWaiting.set(socket, sent);
    }
  }

  return {
    add(socket) {
      sentWhenWaiting.set(socket, undefined);
      socket.once('close', () => sentWhenWaiting.delete(socket));
    },
    start() {
      timer = setInterval(look, timeoutMs).unref();
    },
    stop() {
      clearInterval(timer);
    },
  };
}
