// A wire between a client and a broker that loses an answer when it is told to, or everything.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tied } from '../tied.ts';

/** Of the protocol, at bytes 4 and 5 of a request. */
const produceKey = 0;

export interface Proxy {
  readonly port: number;
  /** Where connections go. */
  to(port: number): void;
  /** Lets the next Produce request through, loses its answer, and cuts the connection; resolves when that has happened. */
  swallowProduce(): Promise<void>;
  /** Loses every request from now on, and leaves the connections as they are, until mended. */
  deafen(): void;
  /** Ends every connection, and each new one at once, until mended. */
  cut(): void;
  mend(): void;
  close(): void;
}

export async function startProxy(): Promise<Proxy> {
  let target = 0;
  let isCut = false;
  let isDeaf = false;
  let swallow: (() => void) | null = null;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const broker = connect(target, '127.0.0.1');
    let swallowing: (() => void) | null = null;
    const end = tied(sockets, [client, broker]);
    client.on('data', (data) => {
      if (isDeaf) return;
      if (swallow !== null && data.length > 8 && data.readInt16BE(4) === produceKey) {
        swallowing = swallow;
        swallow = null;
      }
      broker.write(data);
    });
    broker.on('data', (data) => {
      if (swallowing === null) return void client.write(data);
      end();
      swallowing();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    to: (port) => void (target = port),
    swallowProduce: () => new Promise((resolve) => (swallow = resolve)),
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    deafen: () => void (isDeaf = true),
    mend: () => void (isCut = isDeaf = false),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
