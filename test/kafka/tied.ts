// The two sockets of a connection that passes through a test: what ends one ends both.
import type { Socket } from 'node:net';

/** Keeps both in `sockets` while they live; returns how to end them. */
export function tied(sockets: Set<Socket>, pair: readonly [Socket, Socket]): () => void {
  const end = (): void => {
    for (const socket of pair) {
      socket.destroy();
      sockets.delete(socket);
    }
  };
  for (const socket of pair) {
    sockets.add(socket);
    socket.on('error', end);
    socket.on('close', end);
  }
  return end;
}
