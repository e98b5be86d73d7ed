// One process of the gateway, from its start to its end: it comes up as compose.ts brings it up, over a log that it may share with others
// and a read model of its own. Everything that leaves or enters it stands still while it is frozen.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { everyPartition } from '../../src/engine/assignments.ts';
import { createIntake, type Intake } from '../../src/engine/intake/intake.ts';
import { createService, type Service, type ServiceDeps } from '../../src/engine/service.ts';
import type { Executor } from '../../src/executor/executor.ts';
import { believedClock } from '../../src/engine/believed-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { roles, type SharedRole, type Shares } from '../../src/ports/shares.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Mortal, SimClock } from './clock.ts';
import type { Medium } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { Caller, Outside } from './outside.ts';
import { endpointNames } from './kinds.ts';
import { simSource } from './senders.ts';
import type { Group, Link } from './shares.ts';

/** A guard taken out, by putting something else between the real parts; never a switch inside them. */
export interface Tampering {
  readonly service?: (deps: ServiceDeps) => Service;
  readonly intakeLog?: (log: EventLog) => EventLog;
  readonly executor?: (executor: Executor) => Executor;
  readonly worker?: (life: number) => string;
  readonly deliveryId?: (id: string) => string;
  /** The store over a seat that several processes share. */
  readonly shared?: (store: Store, disk: MemoryDisk) => Store;
  /** Looked for in crowded worlds only: a guard that matters where several processes disturb each other. */
  readonly isCrowded?: true;
  /** Looked for in worlds only in which two alerts are a storm, and many come at once. */
  readonly isStormy?: true;
  /** Looked for in worlds only that are silent for most of a day. */
  readonly isLong?: true;
}

export interface Life extends Caller {
  readonly service: Service;
  readonly link: Link;
  /** Its seat at the shared log, and the disk of its read model; the same when it is alone. */
  readonly seats: readonly MemoryDisk[];
  readonly mortal: Mortal;
  intake: Intake | null;
  /** Brings it up; rejects when it cannot be. */
  comeUp(): Promise<Intake>;
  /** Whether it works on the partition in every role that it was given it for. */
  running(role: SharedRole, partition: number): boolean;
  stop(graceMs: Millis): Promise<void>;
  kill(): void;
}

export interface LifeParts {
  readonly clock: SimClock;
  readonly shared: MemoryDisk;
  /** The disk of its read model; null: it is alone, and there is one for everything. */
  readonly local: MemoryDisk | null;
  readonly partitions: number;
  readonly groups: { readonly [role in SharedRole]: Group } | null;
  readonly ledger: Ledger;
  readonly medium: Medium;
  readonly outside: Outside;
  readonly tampering: Tampering;
  readonly say: (line: string) => void;
}

const expressions = createExpressions();

export function createLife(parts: LifeParts, number: number): Life {
  const { clock, ledger, medium, tampering, groups, partitions } = parts;
  const mortal = clock.mortal();
  const believed = believedClock(mortal.clock);
  believed.watch(); // ends with the life, as all its timers do
  let alive = true;
  const worker = tampering.worker?.(number) ?? `worker${number}`;
  const caller: Caller = { life: number, worker, alive: () => alive, through: mortal.through };
  const link: Link = { name: worker, alive: () => alive, outSince: null };
  const seat = parts.local === null ? parts.shared : parts.shared.seat();
  const open = (disk: MemoryDisk, sync: () => Promise<void>): Store =>
    memoryStore({ disk, partitions, clock: mortal.clock, sync, bulk: parts.local === null });
  const bare = open(seat, medium.sync(mortal.clock, caller));
  const faulty = medium.faulty(tampering.shared?.(bare, seat) ?? bare, caller);
  const store = groups === null ? faulty : seenThrough(faulty, mortal);
  const local = parts.local === null ? store : open(parts.local, () => Promise.resolve());
  const shares = sharesFor(groups, link, partitions);
  const executor = parts.outside.executorFor(caller);

  const service = (tampering.service ?? createService)({
    roles: new Set(roles),
    shared: store,
    local,
    shares: (role) => shares[role],
    clock: believed,
    expressions,
    executor: tampering.executor?.(executor) ?? executor,
    notifiers: parts.outside.notifiersFor(caller),
    withLinks: (notification) => notification,
    worker,
    room: 2,
    yieldToIntake: () => Promise.resolve(),
    decided: () => {},
    onTrouble(error) {
      if (!alive) return;
      ledger.trouble();
      if (textOf(error).includes('another process has loaded')) ledger.reach('checkpoint fenced');
      parts.say(`  ${worker} in trouble: ${textOf(error)}`);
    },
  });

  return {
    ...caller,
    service,
    link,
    seats: parts.local === null ? [seat] : [seat, parts.local],
    mortal,
    intake: null,
    async comeUp() {
      await service.start();
      return openDoor(store, service, believed, tampering);
    },
    running: (role, partition) => shares[role].running(partition),
    async stop(graceMs) {
      await service.stop(graceMs);
      await bare.close();
      if (local !== store) await local.close();
    },
    kill() {
      alive = false;
      mortal.kill();
    },
  };
}

function sharesFor(groups: LifeParts['groups'], link: Link, partitions: number) {
  const alone = (): Shares & { running(partition: number): boolean } => ({ ...everyPartition(partitions), running: () => true });
  return { host: groups?.host.member(link) ?? alone(), effects: groups?.effects.member(link) ?? alone() };
}

/** A frozen process asks nothing and hears nothing. */
function seenThrough(store: Store, { through }: Mortal): Store {
  const { log, checkpoints, cursors, deadLetters } = store;
  const { bulk } = log;
  return {
    ...store,
    log: {
      ...log,
      append: (topic, batch) => through(() => log.append(topic, batch)),
      read: (topic, ...rest) => through(() => log.read(topic, ...rest)),
      end: (topic, partition) => through(() => log.end(topic, partition)),
      ...(bulk === undefined ? {} : { bulk: { ...bulk, append: (batch) => through(() => bulk.append(batch)) } }),
    },
    checkpoints: {
      save: (partition, mark, rows) => through(() => checkpoints.save(partition, mark, rows)),
      load: (partition, take) => through(() => checkpoints.load(partition, take)),
    },
    cursors: {
      load: (name, partition) => through(() => cursors.load(name, partition)),
      save: (name, partition, offset) => through(() => cursors.save(name, partition, offset)),
    },
    deadLetters: { ...deadLetters, add: (letter) => through(() => deadLetters.add(letter)) },
  };
}

async function openDoor(store: Store, service: Service, clock: Clock, tampering: Tampering): Promise<Intake> {
  const log = tampering.intakeLog?.(store.log) ?? store.log;
  const endpoints = endpointNames.map((name) => ({ name, source: simSource, tenant: 'acme', scopeLabels: ['team'] }));
  const { deadLetters } = store;
  const lagOf = (): number => service.lag();
  const intake = await createIntake({ log, deadLetters, endpoints, clock, lagOf, lagMax: 200, onAccepted: () => {} });
  return { ...intake, accept: (name, delivery, id) => intake.accept(name, delivery, tampering.deliveryId?.(id) ?? id) };
}

/** As compose.ts does it: a policy that is in force is not published again. Tried again until the newest is on the log. */
export function publishTo({ service, mortal: { clock } }: Life, door: Intake, newest: () => Policy, published: () => void): void {
  if (service.policy()?.digest === newest().digest) return published();
  const submit = async (): Promise<void> => {
    const policy = newest();
    const durable = await door.submit({ type: 'PolicyPublished', scope: '*', policy }).then(
      () => true,
      () => false,
    );
    if (!durable) clock.after(second, () => void submit());
    else if (newest() === policy) published();
    else await submit();
  };
  void submit();
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
