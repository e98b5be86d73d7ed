// The processes of one world: one over its own disk, or several over one log. They come up, are killed with whatever was on their way,
// stop in good order, are frozen and thaw, lose contact, fall deaf; the next one has another worker's name and the same disk.
import { memoryDisk, type MemoryDisk } from '../../adapters/memory/disk.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import type { Intake } from '../../src/engine/intake/intake.ts';
import type { Checks } from './checker.ts';
import type { Plan } from './faults.ts';
import { createLife, publishTo, textOf, type Life, type LifeParts } from './life.ts';
import type { Random } from './random.ts';

export interface LivesParts extends Omit<LifeParts, 'local'> {
  readonly random: Random;
  readonly plan: Plan;
  readonly checks: Checks;
  readonly chaos: () => boolean;
  readonly policy: () => Policy;
}

export interface Lives {
  /** The door of one of the processes, if any is open. */
  readonly intake: Intake | null;
  /** The processes that live now. */
  readonly all: readonly Life[];
  /** Disks with a read model. */
  readonly models: readonly MemoryDisk[];
  policy(): Policy | null;
  load(): { readonly waits: number; readonly underWay: number; readonly lag: number };
  /** Starts a process wherever none lives. */
  begin(): void;
  /** One is gone at once; so is what had not reached the disk, but for the first few of what was on its way. */
  die(why: string, number?: number): void;
  /** One stops in good order, or all of them. */
  leave(all?: boolean): Promise<void>;
  /** One is stopped as by SIGSTOP, and goes on later. */
  freeze(span: Millis, number?: number): void;
  /** One loses contact to the group, and goes on. */
  cutOff(span: Millis): void;
  /** One hears nothing new from the log for a while. */
  deafen(span: Millis, number?: number): void;
  /** Publishes the world's policy through the running processes. */
  publish(): void;
  /** To be called when the medium changes. */
  markUp(): void;
}

/** Where processes run one after another, over one read model. */
interface Place {
  readonly model: MemoryDisk | null;
  life: Life | null;
  leaving: boolean;
}

export function createLives(parts: LivesParts): Lives {
  const { random, clock, shared, ledger, medium, groups, say } = parts;
  const alone = groups === null;
  const places: Place[] = Array.from({ length: parts.plan.processes }, () => ({
    model: alone ? null : memoryDisk(),
    life: null,
    leaving: false,
  }));
  const all = (): Life[] => places.flatMap(({ life }) => life ?? []);
  const placeOf = (number: number | undefined): Place | undefined => {
    const living = places.filter(({ life, leaving }) => life !== null && !leaving);
    return number === undefined ? living[random.int(0, living.length - 1)] : living.find(({ life }) => life?.life === number);
  };

  function begin(place: Place): void {
    if (place.life !== null) return;
    ledger.lived();
    loseCursors(place);
    const life = createLife({ ...parts, local: place.model }, ledger.moment().lives);
    Object.assign(place, { life, leaving: false });
    say(`life ${life.life} begins`);
    if (shared.content.desks.size > 0 && isUnturned(shared)) ledger.reach('facts beyond the checkpoint at a start');
    void comeUp(place, life);
  }

  async function comeUp(place: Place, me: Life): Promise<void> {
    const over = (): boolean => place.life !== me || place.leaving;
    try {
      const door = await me.comeUp();
      if (over()) return;
      publishTo(me, door, parts.policy, () => {
        if (over()) return;
        me.intake = door;
        markUp();
      });
    } catch (error) {
      if (over()) return;
      ledger.reach('a start failed');
      die(`could not start: ${textOf(error)}`, me.life);
    }
  }

  function loseCursors({ model }: Place): void {
    for (const { cursors } of model === null ? [shared.content] : [shared.content, model.content]) {
      for (const name of cursors.keys()) {
        if (!parts.chaos() || !random.chance(parts.plan.cursorLoss)) continue;
        cursors.delete(name);
        ledger.reach('cursor lost');
      }
    }
  }

  function die(why: string, number?: number): void {
    const place = placeOf(number);
    const dead = place?.life;
    if (place === undefined || dead === undefined || dead === null) return;
    place.life = null;
    parts.checks.dying(parts.outside.atWork);
    dead.kill();
    out(dead);
    const kept = random.chance(0.5) ? 0 : random.int(1, 4);
    const before = sizeOf(shared);
    for (const seat of dead.seats) seat.crash(kept);
    if (kept > 0 && sizeOf(shared) > before) ledger.reach('crash kept what was never acknowledged');
    ledger.reach(`crash: ${why.split(':')[0]}`);
    gone();
    say(`life ${dead.life} dies (${why})`);
    clock.after(random.chance(0.3) ? random.int(1, 20) * minute : random.int(100, 20_000), () => begin(place));
  }

  async function leave(place: Place | undefined): Promise<void> {
    const leaving = place?.life;
    if (place === undefined || leaving === undefined || leaving === null) return;
    place.leaving = true;
    leaving.intake = null;
    markUp();
    say(`life ${leaving.life} is asked to stop`);
    await leaving.stop(5 * second);
    if (place.life !== leaving) return;
    place.life = null;
    leaving.kill();
    ledger.reach('stopped in good order');
    gone();
    say(`life ${leaving.life} has stopped`);
    if (parts.chaos()) clock.after(random.int(100, 60_000), () => begin(place));
  }

  function gone(): void {
    markUp();
    ledger.observe();
    parts.checks.died();
  }

  /** Nothing comes through to the group any more; its lease runs. */
  function out({ link }: Life): void {
    if (groups === null || link.outSince !== null) return;
    link.outSince = clock.steady();
    ledger.disturbed();
    groups.host.out(link);
    groups.effects.out(link);
    markUp();
  }

  /** The first beat after it says what became of its partitions meanwhile; until then it goes on believing. */
  function back(life: Life): void {
    clock.after(random.int(1, 400), () => {
      if (groups === null || !life.alive() || life.mortal.frozen || life.link.outSince === null) return;
      life.link.outSince = null;
      groups.host.back(life.link);
      groups.effects.back(life.link);
      markUp();
    });
  }

  function markUp(): void {
    const lives = all();
    const open = lives.some(({ intake }) => intake !== null);
    ledger.up(open && medium.state === 'well' && (groups === null || everywhere(lives)));
  }

  /** Every partition is decided and acted for by somebody who is well. */
  function everywhere(lives: readonly Life[]): boolean {
    const well = lives.filter((life) => life.link.outSince === null && !medium.isDeaf(life.life));
    const served = (role: 'host' | 'effects', partition: number): boolean =>
      well.some((life) => groups?.[role].owner(partition) === life.link.name && life.running(role, partition));
    return Array.from({ length: parts.partitions }, (_, partition) => partition).every(
      (partition) => served('host', partition) && served('effects', partition),
    );
  }

  return {
    get intake() {
      const open = all().filter((life) => life.intake !== null && !life.mortal.frozen);
      return open.length === 0 ? null : random.pick(open).intake;
    },
    get all() {
      return all();
    },
    models: places.map(({ model }) => model ?? shared),
    policy: () =>
      all()
        .map(({ service }) => service.policy())
        .find((policy) => policy !== null) ?? null,
    load() {
      const sum = { waits: 0, underWay: 0, lag: 0 };
      for (const { service } of all()) {
        const { waits, underWay } = service.load();
        Object.assign(sum, { waits: sum.waits + waits, underWay: sum.underWay + underWay, lag: sum.lag + service.lag() });
      }
      return sum;
    },
    begin() {
      for (const place of places) begin(place);
    },
    die,
    async leave(everybody = false) {
      await Promise.all(everybody ? places.map(leave) : [leave(placeOf(undefined))]);
    },
    freeze(span, number) {
      const life = placeOf(number)?.life;
      if (alone || life === undefined || life === null || life.mortal.frozen) return;
      ledger.reach('frozen');
      say(`life ${life.life} is frozen for ${span} ms`);
      life.mortal.freeze();
      out(life);
      clock.after(span, () => {
        if (!life.alive()) return;
        say(`life ${life.life} thaws`);
        life.mortal.thaw();
        back(life);
      });
    },
    cutOff(span) {
      const life = placeOf(undefined)?.life;
      if (alone || life === undefined || life === null || life.link.outSince !== null) return;
      ledger.reach('cut off from the group');
      say(`life ${life.life} is cut off for ${span} ms`);
      out(life);
      clock.after(span, () => back(life));
    },
    deafen(span, number) {
      const life = placeOf(number)?.life;
      if (alone || life === undefined || life === null) return;
      ledger.reach('deaf to the log');
      say(`life ${life.life} is deaf for ${span} ms`);
      medium.deafen(life.life, span);
      ledger.disturbed();
      markUp();
      clock.after(span + 1, markUp);
    },
    publish() {
      for (const life of all()) if (life.intake !== null) publishTo(life, life.intake, parts.policy, () => {});
    },
    markUp,
  };
}

function isUnturned({ content }: MemoryDisk): boolean {
  return [...content.desks].some(([partition, desk]) => desk.mark.facts < (content.slots.get(`facts/${partition}`)?.end ?? 0));
}

function sizeOf({ content }: MemoryDisk): number {
  return [...content.slots.values()].reduce((sum, slot) => sum + slot.end, 0);
}
