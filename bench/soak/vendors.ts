// Vendors that are real servers on 127.0.0.1 and down a third of the time: one like PagerDuty, one webhook, one mail server.
// Each keeps what was told and when it came, by its own clock of arrival; what it keeps while it is unwell is what a real one would keep.
//   V1  An outage is of one kind, drawn anew each time: nobody listens; 500; 429 with Retry-After; no answer; taken, and the answer dropped.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import type { Random } from '../../test/sim/random.ts';

const outages = ['refuse', 'error', 'limit', 'hang', 'drop'] as const;
type Health = 'well' | (typeof outages)[number];

/** Something that arrived. `key` is the vendor's own: PagerDuty's dedup key, a webhook's message, a mail's Message-ID. */
export interface Receipt {
  readonly vendor: string;
  readonly at: number;
  readonly key: string;
  /** What PagerDuty calls the event's action, a webhook its kind; empty for mail. */
  readonly action: string;
  /** Whether somebody has been told: the vendor took it, whether or not its answer arrived. */
  readonly taken: boolean;
  /** `undecided` of what was paged raw, beside the log. */
  readonly incident: string;
}

export interface Vendor {
  readonly name: string;
  readonly port: number;
  /** How much of its life it was down, and in which ways. */
  readonly figures: () => { readonly downShare: number; readonly outages: { readonly [kind: string]: number } };
  /** Is well from now on. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

export interface Book {
  readonly receipts: Receipt[];
  /** PagerDuty's alerts by dedup key. */
  readonly alerts: Map<string, { state: 'triggered' | 'acknowledged' | 'resolved'; at: number; readonly incident: string }>;
  /** Somebody was called: for those who answer. */
  called: (incident: string) => void;
}

interface Parts {
  readonly random: Random;
  readonly book: Book;
  /** A third of each round of so many milliseconds on average it is down. */
  readonly roundMs: number;
}

/** What a server does with the health that it has now. */
interface Door {
  listen(port: number): Promise<number>;
  shut(): Promise<void>;
}

async function vendorOf(name: string, { random, roundMs }: Parts, doorOf: (health: () => Health) => Door): Promise<Vendor> {
  let health: Health = 'well';
  let isListening = true;
  let downMs = 0;
  let downSince: number | null = null;
  const beganAt = performance.now();
  const counts: Record<string, number> = {};
  const stopping = new AbortController();
  const door = doorOf(() => health);
  const port = await door.listen(0);

  async function become(next: Health): Promise<void> {
    if (downSince !== null) downMs += performance.now() - downSince;
    downSince = next === 'well' ? null : performance.now();
    if (next !== 'well') counts[next] = (counts[next] ?? 0) + 1;
    health = next;
    // Whoever hangs is let go when the outage ends.
    if (isListening) await door.shut();
    isListening = next !== 'refuse';
    if (isListening) await door.listen(port);
  }

  async function live(): Promise<void> {
    const rest = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
    await rest(random.next() * roundMs);
    while (!stopping.signal.aborted) {
      await become(random.pick(outages)); // V1
      await rest((roundMs / 3) * (0.4 + 1.2 * random.next()));
      await become('well');
      if (stopping.signal.aborted) return;
      await rest(((roundMs * 2) / 3) * (0.4 + 1.2 * random.next()));
    }
  }
  const living = live();
  let lifeMs = 0;
  return {
    name,
    port,
    figures: () => ({ downShare: downMs / (lifeMs === 0 ? performance.now() - beganAt : lifeMs), outages: counts }),
    async recover() {
      stopping.abort();
      await living;
      lifeMs = performance.now() - beganAt;
    },
    async close() {
      stopping.abort();
      await living;
      await door.shut();
    },
  };
}

/** A server that can be closed with all its connections and opened again on its port. */
function doorOver(make: () => Server): Door {
  let server: Server | null = null;
  const sockets = new Set<Socket>();
  return {
    async listen(port) {
      for (let attempt = 1; ; attempt += 1) {
        const next = make();
        next.on('connection', (socket: Socket) => {
          sockets.add(socket);
          socket.on('error', () => {});
          socket.on('close', () => sockets.delete(socket));
        });
        next.on('error', () => {});
        next.listen(port, '127.0.0.1');
        const up = await Promise.race([once(next, 'listening').then(() => true), once(next, 'error').then(() => false)]).catch(() => false);
        if (up) {
          server = next;
          return (next.address() as AddressInfo).port; // it listens on a TCP port
        }
        if (attempt === 50) throw new Error(`port ${port} is taken by somebody else`);
        await sleep(100);
      }
    },
    async shut() {
      const old = server;
      server = null;
      if (old === null) return;
      const closed = new Promise<void>((resolve) => old.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** An HTTP vendor: `take` keeps what a request says and answers with the status of success. */
function httpDoor(parts: { readonly random: Random; readonly take: (body: unknown, at: number, isTaken: boolean) => number }) {
  return (health: () => Health): Door =>
    doorOver(() =>
      http.createServer((request, response) => {
        const at = Date.now();
        let text = '';
        request.on('error', () => {});
        request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
        request.on('end', () => {
          const now = health();
          const status = parts.take(JSON.parse(text), at, now === 'well' || now === 'drop');
          if (now === 'well') response.writeHead(status).end();
          else if (now === 'error') response.writeHead(500).end('it broke');
          else if (now === 'limit') response.writeHead(429, { 'retry-after': String(parts.random.int(3, 20)) }).end();
          else if (now === 'drop') request.socket.destroy();
        });
      }),
    );
}

/** Keeps one alert a key; a trigger for one that is open or acknowledged calls nobody, one for a resolved key opens it anew. */
export function startPager(parts: Parts): Promise<Vendor> {
  const { random, book } = parts;
  const take = (body: unknown, at: number, isTaken: boolean): number => {
    const {
      dedup_key: key,
      event_action: action,
      payload,
    } = body as {
      readonly dedup_key: string;
      readonly event_action: string;
      readonly payload?: { readonly custom_details?: { readonly incident?: string } };
    };
    const before = book.alerts.get(key);
    const incident = key.includes(':undecided:') ? 'undecided' : (payload?.custom_details?.incident ?? before?.incident ?? '');
    book.receipts.push({ vendor: 'pager', at, key, action, taken: isTaken, incident });
    if (!isTaken) return 202;
    if (action === 'trigger' && (before === undefined || before.state === 'resolved')) {
      book.alerts.set(key, { state: 'triggered', at, incident });
      book.called(incident);
    } else if (before !== undefined && before.state !== 'resolved' && action !== 'trigger')
      book.alerts.set(key, { ...before, state: action === 'resolve' ? 'resolved' : 'acknowledged', at });
    return 202;
  };
  return vendorOf('pager', parts, httpDoor({ random, take }));
}

export function startHook(parts: Parts): Promise<Vendor> {
  const { random, book } = parts;
  const take = (body: unknown, at: number, isTaken: boolean): number => {
    const { data } = body as { readonly data: { readonly id: string; readonly kind: string; readonly incident: string } };
    book.receipts.push({ vendor: 'hook', at, key: data.id, action: data.kind, taken: isTaken, incident: data.incident });
    if (isTaken && data.kind !== 'resolve' && data.kind !== 'acknowledged') book.called(data.incident);
    return 204;
  };
  return vendorOf('hook', parts, httpDoor({ random, take }));
}

export function startMail(parts: Parts): Promise<Vendor> {
  const { book } = parts;
  return vendorOf('mail', parts, (health) => {
    const say = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
    const make = (): Server => {
      const office: SMTPServer = new SMTPServer({
        authOptional: true,
        disabledCommands: ['AUTH', 'STARTTLS'],
        disableReverseLookup: true,
        closeTimeout: 50,
        onConnect: (_session, done) => done(health() === 'limit' ? say(421, 'too many connections') : null),
        onMailFrom: (_address, _session, done) => done(health() === 'error' ? say(451, 'try again later') : null),
        onData(stream, _session, done) {
          const at = Date.now();
          let text = '';
          stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
          stream.on('end', () => {
            const now = health();
            const key = /^Message-ID: (\S+)/im.exec(text)?.[1] ?? '';
            book.receipts.push({
              vendor: 'mail',
              at,
              key,
              action: '',
              taken: now === 'well' || now === 'drop',
              incident: text.includes('undecided]') ? 'undecided' : '',
            });
            if (now === 'well') done();
            else if (now === 'drop') for (const socket of sockets) socket.destroy();
          });
        },
      });
      office.on('error', () => {});
      const sockets = new Set<Socket>();
      // The office's own server is what listens and closes; a door in front of it would hide who refuses.
      office.server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
      });
      return office.server;
    };
    return doorOver(make);
  });
}
