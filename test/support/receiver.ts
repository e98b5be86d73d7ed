// A real HTTP server on 127.0.0.1 that plays any vendor, well or badly; the test says how it answers.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type Answering = (response: http.ServerResponse, heard: Heard) => void;

export interface Receiver {
  readonly origin: string;
  readonly port: number;
  readonly heard: Heard[];
  /** Connections opened since the start. */
  readonly connections: () => number;
  /** Sockets still open. */
  readonly open: () => number;
  answer: Answering;
  close(): Promise<void>;
}

export async function startReceiver(
  options: { readonly host?: string; readonly tls?: { key: string; cert: string } } = {},
): Promise<Receiver> {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const take = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      heard.push(one);
      receiver.answer(response, one);
    });
  };
  const server = options.tls === undefined ? http.createServer(take) : https.createServer(options.tls, take);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  // A server listening on a TCP port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    origin: `${options.tls === undefined ? 'http' : 'https'}://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    heard,
    connections: () => connections,
    open: () => sockets.size,
    answer: (response) => response.end(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** A port on 127.0.0.1 where nothing listens. */
export async function deadPort(): Promise<number> {
  const receiver = await startReceiver();
  await receiver.close();
  return receiver.port;
}
