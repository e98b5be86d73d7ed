// A wire between one process and a broker that can fall silent, or be slow, without any connection ending.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tied } from '../tied.ts';

/** Of the protocol, at bytes 4 and 5 of a request. */
const syncKey = 14;

export interface Wire {
  readonly port: number;
  /** Takes bytes and connections, passes nothing on, until healed; what came meanwhile then arrives. */
  silence(): void;
  heal(): void;
  /** When the client next asks what is its share, nothing that the broker says arrives for so long; resolves when it has been asked. */
  holdBackShare(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function startWire(brokerPort: number): Promise<Wire> {
  let silent = false;
  let share: { readonly ms: number; readonly asked: () => void } | null = null;
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let heldBack = false;
  const answers: (() => void)[] = [];

  const pass = (to: Socket, data: Buffer): void => {
    if (silent) waiting.push(() => pass(to, data));
    else if (!to.destroyed) to.write(data);
  };
  function holdBack(ms: number): void {
    heldBack = true;
    setTimeout(() => {
      heldBack = false;
      for (const late of answers.splice(0)) late();
    }, ms);
  }

  const server = createServer((client) => {
    const broker = connect(brokerPort, '127.0.0.1');
    tied(sockets, [client, broker]);
    client.on('data', (data) => {
      if (share !== null && data.length > 8 && data.readInt16BE(4) === syncKey) {
        holdBack(share.ms);
        share.asked();
        share = null;
      }
      pass(broker, data);
    });
    broker.on('data', (data) => {
      if (heldBack) answers.push(() => pass(client, data));
      else pass(client, data);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    silence: () => void (silent = true),
    heal() {
      silent = false;
      for (const late of waiting.splice(0)) late();
    },
    holdBackShare: (ms) => new Promise((resolve) => (share = { ms, asked: resolve })),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
