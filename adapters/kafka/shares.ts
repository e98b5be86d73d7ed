// A role's partitions, shared out by a consumer group that never consumes: the group gives the assignment and, by its heartbeats, a lease.
//   H1  `holds` is true only while the coordinator cannot have taken us for dead: from the last heartbeat that was surely sent after the one before
//       was answered, for less than the session (lease.ts). A process that slept finds its lease over before it does anything else.
//   H2  Of one partition `gained` and `lost` are called one after the other, each after the one before has ended (assignments.ts).
//   H3  A member that falls silent is replaced by a new one, for ever, and the old one's connections are cut (membership.ts).
import { second, type Millis } from '../../src/core/time.ts';
import type { BackboneWatch } from '../../src/ports/backbone.ts';
import type { SharedRole, Shares } from '../../src/ports/shares.ts';
import { createAssignments } from './assignments.ts';
import type { Client } from './client.ts';
import type { KafkaCursors } from './cursors.ts';
import { createMembership } from './membership.ts';

const progressEveryMs: Millis = 2 * second;

export interface SharesDeps {
  readonly client: Client;
  readonly role: SharedRole;
  readonly topic: string;
  readonly cursors: KafkaCursors;
  readonly watch: BackboneWatch;
}

export function createShares(deps: SharesDeps): Shares {
  const { client, role, topic, cursors, watch } = deps;
  const { settings, health, logger } = client;
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const assignments = createAssignments({
    isStopping,
    onBug(partition, error) {
      const why = error instanceof Error ? error.message : 'unknown';
      health.wrong(`${role} ${partition}`, `${role} of partition ${partition} stopped on a bug: ${why}`);
    },
  });
  const membership = createMembership({
    client,
    groupId: `${settings.prefix}${role}`,
    topic,
    isStopping,
    assigned: () => assignments.list(),
    onAssigned(memberId, partitions) {
      assignments.assign(memberId, partitions);
      watch.rebalanced(role);
      logger.info({ role, partitions: [...partitions].toSorted((a, b) => a - b) }, 'partitions shared out');
    },
  });
  const progress = createProgress(deps, isStopping);

  return {
    async start(handlers) {
      assignments.start(handlers);
      membership.start();
    },
    holds: (partition) => assignments.has(partition) && membership.isLeaseValid(),
    done(partition, offset) {
      if (role === 'effects') return; // its cursor is the very same record
      progress.note(partition, offset);
    },
    progress: () => cursors.loadAll(role, topic),
    async stop() {
      stopping = true;
      await progress.stop();
      await membership.stop();
      await assignments.settled();
    },
  };
}

/** How far the role has come in each partition, saved for the others to see, all partitions at once and not at once. */
interface Progress {
  note(partition: number, offset: number): void;
  /** Saves what is not saved yet. */
  stop(): Promise<void>;
}

function createProgress({ client, role, topic, cursors }: SharesDeps, isStopping: () => boolean): Progress {
  const unsaved = new Map<number, number>();
  let cancelSave: (() => void) | null = null;

  async function save(): Promise<void> {
    cancelSave = null;
    const offsets = new Map(unsaved);
    unsaved.clear();
    if (offsets.size > 0) await cursors.saveAll(role, topic, offsets).catch(() => {}); // the next one comes soon
  }

  return {
    note(partition, offset) {
      unsaved.set(partition, offset);
      if (!isStopping()) cancelSave ??= client.clock.after(progressEveryMs, () => void save());
    },
    async stop() {
      cancelSave?.();
      await save();
    },
  };
}
