// Connections at the door: how many there may be, of one address and of all, and which one goes when there are too many.
// What a request may cost once it is here is the business of the body reader, the routes and Node's own times.
//   N1  A connection that once brought valid credentials never makes room for one that has not.
//   N2  One address holds at most `perAddressMax` connections without credentials: past that it loses its own oldest.
//   N3  At the bound of all connections the oldest without credentials goes; where all have them, the newcomer is turned away.
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** Without credentials, of one address. */
  readonly perAddressMax: number;
}

export interface Connections {
  /** Takes in a new connection, or turns it away. */
  opened(socket: Socket): void;
  /** It brought valid credentials. */
  proven(socket: Socket): void;
  readonly open: ReadonlySet<Socket>;
}

export function createConnections({ connectionsMax, perAddressMax }: ConnectionLimits): Connections {
  const open = new Set<Socket>();
  /** Without credentials, oldest first. */
  const strangers = new Set<Socket>();
  const byAddress = new Map<string, Set<Socket>>();

  function forget(socket: Socket, address: string): void {
    strangers.delete(socket);
    const own = byAddress.get(address);
    own?.delete(socket);
    if (own?.size === 0) byAddress.delete(address);
  }

  /** Ends the oldest of them; false when there is none. */
  function endOldest(sockets: Iterable<Socket>): boolean {
    for (const socket of sockets) {
      forget(socket, addressOf(socket));
      open.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  return {
    open,
    opened(socket) {
      const address = addressOf(socket);
      const own = byAddress.get(address) ?? new Set();
      if (own.size >= perAddressMax) endOldest(own); // N2
      if (open.size >= connectionsMax && !endOldest(strangers)) return void socket.destroy(); // N3
      own.add(socket);
      byAddress.set(address, own);
      strangers.add(socket);
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        forget(socket, address);
      });
    },
    proven(socket) {
      if (strangers.has(socket)) forget(socket, addressOf(socket)); // N1
    },
  };
}

/** Whom to count it for: an IPv4 address, or the half of an IPv6 address that one customer gets whole. */
export function addressOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  const plain = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
  return plain.includes(':') ? networkOf(plain) : plain;
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
