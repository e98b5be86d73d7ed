// One member of the group that shares partitions out, in this process or as a program of its own, telling what it is told and what it holds.
// As a program it is forked with its options as the only argument, and may be stopped, frozen and killed like any other.
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { createClient } from '../../../adapters/kafka/client.ts';
import { createCursors } from '../../../adapters/kafka/cursors.ts';
import { createShares } from '../../../adapters/kafka/shares.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

export const sessionMs = 1_500;
export const partitions = 6;
const sampleMs = 1;
/** A process that slept so long was frozen. */
const sleptMs = 400;

export interface MemberOptions {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly instance: string;
  /** Connections to a broker go to this port instead; for programs of their own. */
  readonly through?: number;
  readonly sessionMs?: number;
}

/** `at`: milliseconds of the machine's steady clock, the same in all processes. */
export interface Said {
  readonly at: number;
  /** `holds`, `let go`: seen when looked for once a millisecond; `awake`: the first look after a long sleep, with what was held then. */
  readonly what: 'gained' | 'lost' | 'holds' | 'let go' | 'awake' | 'stopped' | 'info' | 'trouble';
  readonly partition: number;
  readonly text?: string;
}

export interface RunningMember {
  stop(): Promise<void>;
}

export function steady(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export async function startMember(options: MemberOptions, say: (said: Said) => void): Promise<RunningMember> {
  const tell = (what: Said['what'], partition: number, text = ''): void => say({ at: steady(), what, partition, text });
  const client = createClient(
    { brokers: options.brokers, topicPrefix: options.prefix, partitions, replication: 1, sessionMs: options.sessionMs ?? sessionMs },
    {
      clock: systemClock,
      logger: {
        info: (fields, text) => tell('info', -1, `${text} ${JSON.stringify(fields)}`),
        warn: (fields, text) => tell('trouble', -1, `${text} ${JSON.stringify(fields)}`),
        error: (fields, text) => tell('trouble', -1, `${text} ${JSON.stringify(fields)}`),
      },
      instance: options.instance,
    },
  );
  const cursors = createCursors(client);
  const watch = { appended: () => {}, rebalanced: () => {} };
  const shares = createShares({ client, role: 'host', topic: client.settings.topics.inputs, cursors, watch });
  const held = new Set<number>();
  let last = steady();

  function look(): void {
    const began = steady();
    const slept = began - last > sleptMs;
    const now = Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => shares.holds(partition));
    if (slept) tell('awake', -1, now.join(' '));
    for (let partition = 0; partition < partitions; partition += 1) {
      const holds = now.includes(partition);
      // What was let go is said to have been held until it was last seen so.
      if (!holds && held.delete(partition)) say({ at: last, what: 'let go', partition });
      if (holds && !held.has(partition)) {
        held.add(partition);
        tell('holds', partition);
      }
    }
    const ended = steady();
    last = ended - began > sleptMs ? began : ended; // a sleep in the middle of a look is for the next one to tell
  }

  const looking = setInterval(look, sampleMs);
  await shares.start({
    gained: async (partition) => tell('gained', partition),
    lost: async (partition) => tell('lost', partition),
  });
  return {
    async stop() {
      // Whoever stops works no more; what it holds on paper meanwhile is nobody's concern.
      clearInterval(looking);
      for (const partition of held) tell('let go', partition);
      await shares.stop();
      await cursors.close().catch(() => {});
      tell('stopped', -1);
    },
  };
}

/** Sends every connection to the broker through the port; the client and our adapter look `connect` up when they connect. */
function reroute(port: number): void {
  const connect = net.connect.bind(net) as (options: object, ...rest: readonly unknown[]) => net.Socket;
  const rerouted = (options: object, ...rest: readonly unknown[]): net.Socket => connect({ ...options, port }, ...rest);
  Object.assign(net, { connect: rerouted });
  syncBuiltinESMExports(); // for those who import it by its name
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const options = JSON.parse(process.argv[2] ?? '{}') as MemberOptions; // from the test
  if (options.through !== undefined) reroute(options.through);
  const member = await startMember(options, (said) => process.send?.(said));
  process.on('message', () => void member.stop().then(() => process.disconnect()));
  process.on('disconnect', () => process.exit(0));
}
