// A role's partitions, shared out by a consumer group that never consumes: the group gives the assignment and, by its heartbeats, a lease.
//   H1  `holds` is true only while the coordinator cannot have taken us for dead: from the last heartbeat that was surely sent after the one before
//       was answered, for less than the session. A process that slept finds its lease over before it does anything else.
//   H2  Of one partition `gained` and `lost` are told one after the other, each after the one before has ended.
//   H3  A member that falls silent is replaced by a new one, for ever (the client may stop without a word). The old one's connections are cut: it may
//       still be on its way to join, and would hold partitions that nobody works on.
import type { Consumer } from 'kafkajs';
import type { BackboneWatch, SharedRole, Shares } from '../../src/core/ports.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { stickyAssigner } from './assigner.ts';
import { metadataMaxAgeMs, retry, type Client } from './client.ts';
import type { KafkaCursors } from './cursors.ts';
import { pause, pauseOr, within } from './waits.ts';

const heartbeatMs: Millis = second;
const pollMs: Millis = 250;
const stopWithinMs: Millis = 4 * second;
const connectWithinMs: Millis = 10 * second;
const restMs: Millis = second;
const patienceMs: Millis = 3 * second;
const doneEveryMs: Millis = 2 * second;
/** Sessions without a word after which the member is replaced. */
const silentSessions = 2;
/** Part of the session that we do not rely on: clocks drift, and an action takes a moment to begin. */
const leaseShare = 0.8;

/** One of the group, with connections of its own. */
interface Member {
  readonly consumer: Consumer;
  sever(): void;
}

type Told = Parameters<Shares['start']>[0];

export interface SharesDeps {
  readonly client: Client;
  readonly role: SharedRole;
  readonly topic: string;
  readonly cursors: KafkaCursors;
  readonly watch: BackboneWatch;
}

export function createShares({ client, role, topic, cursors, watch }: SharesDeps): Shares {
  const { clock, settings, say } = client;
  const groupId = `${settings.prefix}${role}`;
  let member: Member | null = null;
  let held: ReadonlySet<number> = new Set();
  /** What `gained` was told of and `lost` was not. */
  const running = new Set<number>();
  /** As whom the coordinator knows us. Under a new name we are new: another may have had meanwhile what runs here, so it is lost first. */
  let memberId = '';
  const stale = new Set<number>();
  const chains = new Map<number, Promise<void>>();
  const undone = new Map<number, number>();
  let told: Told | null = null;
  let heardAt: Millis = 0;
  let leaseUntil: Millis = 0;
  /** From asking to join until we hear what is ours: what was may be another's by then (H1). */
  let joining = false;
  let onJoined: () => void = () => {};
  let stopping = false;
  let caring: Promise<void> = Promise.resolve();
  let broken: () => void = () => {};
  let cancelDone: (() => void) | null = null;

  function create(): Member {
    const { kafka, sever } = client.severable();
    const mine = (): boolean => member?.consumer === made;
    const join = (): readonly number[] => {
      if (mine()) joining = true;
      return [...held];
    };
    const made = kafka.consumer({
      groupId,
      sessionTimeout: settings.sessionMs,
      // A member that works on must be given the time to hear that it has to join again.
      rebalanceTimeout: settings.sessionMs,
      heartbeatInterval: Math.min(heartbeatMs, settings.sessionMs / 4),
      maxWaitTimeInMs: Math.min(pollMs, settings.sessionMs / 8),
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      partitionAssigners: [() => stickyAssigner(topic, settings.partitions, client.instance, join)],
      retry: { ...retry, restartOnFailure: () => Promise.resolve(false) },
    });
    made.on(made.events.GROUP_JOIN, ({ payload }) => {
      if (mine()) joined(made, payload.memberId, payload.memberAssignment[topic] ?? []);
    });
    made.on(made.events.HEARTBEAT, () => {
      if (!mine()) return;
      leaseUntil = heardAt + settings.sessionMs * leaseShare; // H1
      heardAt = clock.steady();
      client.health.good(`group ${groupId}`);
    });
    made.on(made.events.CRASH, ({ payload }) => {
      if (!mine()) return;
      client.health.bad(`group ${groupId}`, payload.error, patienceMs);
      broken();
    });
    return { consumer: made, sever };
  }

  async function leave({ consumer, sever }: Member): Promise<void> {
    await within(clock, stopWithinMs, 'leave', consumer.disconnect()).catch(() => {});
    sever(); // H3
  }

  function joined(consumer: Consumer, as: string, partitions: readonly number[]): void {
    if (as !== memberId) for (const partition of running) stale.add(partition);
    memberId = as;
    heardAt = clock.steady();
    consumer.pause([{ topic }]); // heartbeats go on, records are the follower's
    held = new Set(partitions);
    joining = false;
    onJoined();
    watch.rebalanced(role);
    say.info({ role, partitions: [...partitions].toSorted((a, b) => a - b) }, 'partitions shared out');
    settleAll();
  }

  function settleAll(): void {
    for (const partition of new Set([...held, ...running, ...chains.keys()])) {
      const before = chains.get(partition) ?? Promise.resolve();
      chains.set(
        partition,
        before.then(() => settle(partition)),
      );
    }
  }

  /** H2; what is wanted may have changed since this was asked for. */
  async function settle(partition: number): Promise<void> {
    if (stale.delete(partition)) await become(partition, false);
    await become(partition, held.has(partition) && !stopping);
  }

  async function become(partition: number, wanted: boolean): Promise<void> {
    if (told === null || wanted === running.has(partition)) return;
    if (wanted) running.add(partition);
    else running.delete(partition);
    try {
      await (wanted ? told.gained(partition, () => held.has(partition) && !stale.has(partition) && !stopping) : told.lost(partition));
    } catch (error) {
      client.health.wrong(
        `${role} ${partition}`,
        `${role} of partition ${partition} stopped on a bug: ${error instanceof Error ? error.message : 'unknown'}`,
      );
    }
  }

  /** Keeps one living member (H3). */
  async function care(): Promise<void> {
    while (!stopping) {
      const failed = new Promise<void>((resolve) => (broken = resolve));
      const mine = create();
      member = mine;
      heardAt = clock.steady();
      try {
        // Whoever joins waits for members that died, at most a session; a coordinator that died, too, comes on top.
        await within(clock, connectWithinMs + settings.sessionMs, `join ${groupId}`, begin(mine.consumer));
        await Promise.race([failed, silence(mine)]);
      } catch (error) {
        client.health.bad(`group ${groupId}`, error, patienceMs);
      }
      if (stopping) return; // stop() ends the member
      member = null;
      joining = true;
      await leave(mine);
      await pause(clock, restMs);
    }
  }

  async function begin(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
  }

  /** Resolves when nothing was heard for too long. */
  async function silence(mine: Member): Promise<void> {
    while (!stopping && member === mine) {
      if (clock.steady() - heardAt > settings.sessionMs * silentSessions) {
        client.health.bad(`group ${groupId}`, new Error('no heartbeat was answered for two sessions; joining anew'));
        return;
      }
      await pause(clock, pollMs);
    }
  }

  async function tellDone(): Promise<void> {
    cancelDone = null;
    const all = new Map(undone);
    undone.clear();
    if (all.size > 0) await cursors.saveAll(role, topic, all).catch(() => {}); // the next one comes soon
  }

  return {
    async start(handlers) {
      told = handlers;
      caring = care();
    },
    holds: (partition) => held.has(partition) && !joining && clock.steady() < leaseUntil,
    done(partition, offset) {
      if (role === 'effects') return; // its cursor is the very same record
      undone.set(partition, offset);
      if (!stopping) cancelDone ??= clock.after(doneEveryMs, () => void tellDone());
    },
    progress: () => cursors.loadAll(role, topic),
    async stop() {
      stopping = true;
      cancelDone?.();
      await tellDone();
      // One that goes before it has joined says no goodbye (the client, 2.2.4), and the others would wait a session for it.
      if (member !== null && joining) await pauseOr(clock, stopWithinMs, new Promise<void>((resolve) => (onJoined = resolve)));
      await pause(clock, 20); // the client believes it a moment after it has told us
      const last = member;
      member = null;
      broken();
      if (last !== null) await leave(last);
      await caring;
      await Promise.all(chains.values());
    },
  };
}
