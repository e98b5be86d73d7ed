// One member of a consumer group that never consumes: it joins, is assigned partitions, and sends heartbeats until it leaves.
import type { Consumer } from 'kafkajs';
import { second, type Millis } from '../../src/core/time.ts';
import { stickyAssigner } from './assigner.ts';
import { metadataMaxAgeMs, retry, type Client } from './client.ts';
import { within } from './waits.ts';

const heartbeatMs: Millis = second;
const pollMs: Millis = 250;
const leaveWithinMs: Millis = 4 * second;

export interface MemberDeps {
  readonly client: Client;
  readonly groupId: string;
  readonly topic: string;
  /** Called each time the member is about to join; returns what it would keep. */
  joining(): readonly number[];
  /** While false, none of the following is called. */
  isCurrent(): boolean;
  joined(memberId: string, partitions: readonly number[]): void;
  heartbeatAnswered(): void;
  /** The member has given up. */
  crashed(error: Error): void;
}

export interface Member {
  /** Resolves when the member has joined for the first time. Rejects with the client's error. */
  join(): Promise<void>;
  /** Leaves the group, or, when that takes too long, cuts the member's connections (H3, membership.ts). */
  leave(): Promise<void>;
}

export function createMember(deps: MemberDeps): Member {
  const { client, groupId, topic } = deps;
  const { settings } = client;
  const { kafka, sever } = client.severable();
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: settings.sessionMs,
    // A member that works on must be given the time to hear that it has to join again.
    rebalanceTimeout: settings.sessionMs,
    heartbeatInterval: Math.min(heartbeatMs, settings.sessionMs / 4),
    maxWaitTimeInMs: Math.min(pollMs, settings.sessionMs / 8),
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    partitionAssigners: [() => stickyAssigner(topic, settings.partitions, client.instance, () => deps.joining())],
    retry: { ...retry, restartOnFailure: () => Promise.resolve(false) },
  });
  forwardEvents(consumer, deps);
  return {
    async join() {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic] });
      await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    },
    async leave() {
      await within(client.clock, leaveWithinMs, 'leave', consumer.disconnect()).catch(() => {});
      sever();
    },
  };
}

function forwardEvents(consumer: Consumer, deps: MemberDeps): void {
  const { topic } = deps;
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    if (!deps.isCurrent()) return;
    consumer.pause([{ topic }]); // heartbeats go on, records are the follower's
    deps.joined(payload.memberId, payload.memberAssignment[topic] ?? []);
  });
  consumer.on(consumer.events.HEARTBEAT, () => {
    if (deps.isCurrent()) deps.heartbeatAnswered();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (deps.isCurrent()) deps.crashed(payload.error);
  });
}
