// The lives of the gateway's process in one world: it comes up as compose.ts brings it up, is killed with whatever was on its way,
// or stops in good order; the next one has another worker's name and the same disk.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Clock, EventLog, Store } from '../../src/core/ports.ts';
import { minute, second } from '../../src/core/time.ts';
import type { Executor } from '../../src/engine/executor.ts';
import { createIntake, type Intake } from '../../src/engine/intake.ts';
import { createService, type Service, type ServiceDeps } from '../../src/engine/service.ts';
import type { Checks } from './checker.ts';
import type { SimClock } from './clock.ts';
import type { Medium, Plan } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { Caller, Outside } from './outside.ts';
import type { Random } from './random.ts';
import { endpointName, simSource } from './senders.ts';

/** A guard taken out, by putting something else between the real parts; never a switch inside them. */
export interface Tampering {
  readonly service?: (deps: ServiceDeps) => Service;
  readonly intakeLog?: (log: EventLog) => EventLog;
  readonly executor?: (executor: Executor) => Executor;
  readonly worker?: (life: number) => string;
  readonly deliveryId?: (id: string) => string;
}

export interface LivesParts {
  readonly random: Random;
  readonly clock: SimClock;
  readonly disk: MemoryDisk;
  readonly partitions: number;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly checks: Checks;
  readonly medium: Medium;
  readonly outside: Outside;
  readonly tampering: Tampering;
  readonly chaos: () => boolean;
  readonly policy: () => Policy;
  readonly say: (line: string) => void;
}

export interface Lives {
  /** The process that runs now. */
  readonly service: Service | null;
  /** Its door, once it is open. */
  readonly intake: Intake | null;
  /** Starts a process if none lives. */
  begin(): void;
  /** It is gone at once; so is what had not reached the disk, but for the first few of what was on its way. */
  die(why: string): void;
  leave(): Promise<void>;
  /** Publishes the world's policy to a running process. */
  publish(): void;
  /** To be called when the medium changes. */
  markUp(): void;
}

interface Life extends Caller {
  readonly service: Service;
  readonly store: Store;
  readonly clock: Clock;
  intake: Intake | null;
  kill(): void;
}

const expressions = createExpressions();

export function createLives(parts: LivesParts): Lives {
  const { random, clock, disk, ledger, medium, tampering, say } = parts;
  let life: Life | null = null;

  function begin(): void {
    if (life !== null) return;
    ledger.lived();
    loseCursors();
    life = born(ledger.moment().lives);
    say(`life ${life.life} begins`);
    if (disk.content.desks.size > 0 && isUnturned()) ledger.reach('facts beyond the checkpoint at a start');
    void comeUp(life);
  }

  function born(number: number): Life {
    const own = clock.mortal();
    const state = { alive: true };
    const worker = tampering.worker?.(number) ?? `worker${number}`;
    const caller: Caller = { life: number, worker, alive: () => state.alive };
    const store = medium.faulty(
      memoryStore({ disk, partitions: parts.partitions, clock: own.clock, sync: medium.sync(own.clock) }),
      caller.alive,
    );
    const executor = parts.outside.executorFor(caller);
    const service = (tampering.service ?? createService)({
      store,
      clock: own.clock,
      expressions,
      executor: tampering.executor?.(executor) ?? executor,
      notifiers: parts.outside.notifiersFor(caller),
      dress: (notification) => notification,
      worker,
      breathe: () => Promise.resolve(),
      seen: () => {},
      onTrouble(error) {
        if (!state.alive) return;
        ledger.trouble();
        say(`  trouble: ${textOf(error)}`);
      },
    });
    const kill = (): void => {
      state.alive = false;
      own.kill();
    };
    return { ...caller, service, store, clock: own.clock, intake: null, kill };
  }

  async function comeUp(me: Life): Promise<void> {
    try {
      await me.service.start();
      const door = await openDoor(me);
      if (life !== me) return;
      publishTo(me, door, () => {
        if (life !== me) return;
        me.intake = door;
        markUp();
      });
    } catch (error) {
      if (life !== me) return;
      ledger.reach('a start failed');
      die(`could not start: ${textOf(error)}`);
    }
  }

  async function openDoor({ store, service, clock: own }: Life): Promise<Intake> {
    const log = tampering.intakeLog?.(store.log) ?? store.log;
    const endpoint = { name: endpointName, source: simSource, tenant: 'acme', scopeLabels: ['team'] };
    const { deadLetters } = store;
    const lagOf = (): number => service.lag();
    const intake = await createIntake({ log, deadLetters, endpoints: [endpoint], clock: own, lagOf, lagMax: 200, seen: () => {} });
    return { ...intake, accept: (name, delivery, id) => intake.accept(name, delivery, tampering.deliveryId?.(id) ?? id) };
  }

  /** As compose.ts does it: a policy that is in force is not published again. Tried again until it is on the log. */
  function publishTo({ service }: Life, door: Intake, published: () => void): void {
    if (service.policy()?.digest === parts.policy().digest) return published();
    const submit = (): void => {
      door.submit({ type: 'PolicyPublished', scope: '*', policy: parts.policy() }).then(published, () => clock.after(second, submit));
    };
    submit();
  }

  function isUnturned(): boolean {
    return [...disk.content.desks].some(([partition, desk]) => desk.mark.facts < (disk.content.slots.get(`facts/${partition}`)?.end ?? 0));
  }

  function loseCursors(): void {
    for (const name of disk.content.cursors.keys()) {
      if (!parts.chaos() || !random.chance(parts.plan.cursorLoss)) continue;
      disk.content.cursors.delete(name);
      ledger.reach('cursor lost');
    }
  }

  function die(why: string): void {
    if (life === null) return;
    const dead = life;
    life = null;
    parts.checks.dying(parts.outside.atWork);
    dead.kill();
    const kept = random.chance(0.5) ? 0 : random.int(1, 4);
    const before = sizeOf(disk);
    disk.crash(kept);
    if (kept > 0 && sizeOf(disk) > before) ledger.reach('crash kept what was never acknowledged');
    ledger.reach(`crash: ${why.split(':')[0]}`);
    gone();
    say(`life ${dead.life} dies (${why})`);
    clock.after(random.chance(0.3) ? random.int(1, 20) * minute : random.int(100, 20_000), begin);
  }

  async function leave(): Promise<void> {
    if (life === null) return;
    const leaving = life;
    leaving.intake = null;
    markUp();
    say(`life ${leaving.life} is asked to stop`);
    await leaving.service.stop(5 * second);
    await leaving.store.close();
    if (life !== leaving) return;
    life = null;
    leaving.kill();
    ledger.reach('stopped in good order');
    gone();
    say(`life ${leaving.life} has stopped`);
    if (parts.chaos()) clock.after(random.int(100, 60_000), begin);
  }

  function gone(): void {
    markUp();
    ledger.observe();
    parts.checks.died();
  }

  function markUp(): void {
    ledger.up(life !== null && life.intake !== null && medium.state === 'well');
  }

  return {
    get service() {
      return life?.service ?? null;
    },
    get intake() {
      return life?.intake ?? null;
    },
    begin,
    die,
    leave,
    publish() {
      if (life !== null && life.intake !== null) publishTo(life, life.intake, () => {});
    },
    markUp,
  };
}

function sizeOf(disk: MemoryDisk): number {
  return [...disk.content.slots.values()].reduce((sum, slot) => sum + slot.end, 0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
