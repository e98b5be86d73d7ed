// One simulated world: the real engine over memory ports in virtual time, an outside that errs, people, and faults from a seed.
// A world runs in four spells: chaos; calm, in which sources still repeat what burns; hush, until nothing waits any more; the end.
//   S1  The same seed gives the same world, event by event.
import { memoryDisk } from '../../adapters/memory/disk.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import type { SharedRole } from '../../src/ports/shares.ts';
import { checkWorld } from './checker.ts';
import { simClock } from './clock.ts';
import { createMedium, drawJump, drawPlan, points, type Point } from './faults.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { Tampering } from './life.ts';
import { createLives, type Lives } from './lives.ts';
import { createOutside } from './outside.ts';
import { createPeople } from './people.ts';
import { longStaleMs, simPolicy, usualStaleMs } from './policy.ts';
import { random } from './random.ts';
import { createSenders } from './senders.ts';
import { createGroups } from './shares.ts';

export interface World {
  readonly ledger: Ledger;
  /** Promises that were broken; none in a good world. */
  readonly broken: readonly string[];
}

const calmMs: Millis = 25 * minute;
/** Beyond the time after which silence is an end. */
const hushMaxMs: Millis = 12 * hour;

/** Runs one world to its end. `tell` hears the story as it goes, for people. */
export async function simulate(seed: number, tampering: Tampering = {}, tell: (line: string) => void = () => {}): Promise<World> {
  const world = createWorld(seed, tampering, tell);
  const { ledger, checks, lives, senders, people, run } = world;
  world.chaos();
  await run(world.plan.chaosMs);
  world.endChaos();
  await run(2 * minute);
  lives.begin(); // for one that was stopping when the faults ended
  people.thaw();
  await run(calmMs - 2 * minute);
  checks.calm(lives.policy());
  senders.hush();
  world.say('everybody falls silent');
  await world.rest(checks.quiet);
  checks.hushed();
  people.tidy();
  world.say('people resolve what is left');
  await world.rest(() => lives.load().waits === 0);
  if (ledger.broken.length === 0) checks.rest(stoppedBy(lives));
  void lives.leave(true);
  await run(minute);
  if (lives.all.length > 0) ledger.breach('H4: the process was asked to stop and did not end within a minute');
  if (ledger.broken.length === 0) await checks.end(lives.models);
  return { ledger, broken: ledger.broken };
}

/** The bug that stopped a partition, or null. */
function stoppedBy({ all }: Lives): string | null {
  const bug = all.map(({ service }) => service.bug()).find((one) => one !== null);
  return all.length === 0 ? 'no process lives' : (bug?.message ?? null);
}

function createWorld(seed: number, tampering: Tampering, tell: (line: string) => void) {
  const chance = random(seed);
  // Streams of their own, so that what they are for changes nothing of worlds without it.
  const more = random(~seed);
  const others = more.fork();
  const betweens = more.fork();
  const vendors = more.fork();
  const together = more.fork();
  const isStormy = tampering.isStormy === true;
  const staleMs = more.chance(0.02) || tampering.isLong === true ? longStaleMs : usualStaleMs;
  const isTogether = more.chance(0.12) && !isStormy && staleMs === usualStaleMs;
  const drawn = drawPlan(chance.fork(), tampering.isCrowded === true);
  // Vendors that greet slowly, and people who take what they read of: what a message tells may end before it has left.
  const plan = isTogether ? { ...drawn, slowGreetings: 0.6, people: Math.max(2, drawn.people) } : drawn;
  const policies = chance.fork();
  const faults = chance.fork();
  const clock = simClock();
  const disk = memoryDisk();
  const several = plan.processes > 1;
  const partitions = several ? chance.int(2, 4) : chance.chance(0.25) ? 2 : 1;
  const ledger = createLedger(disk, clock, partitions, several || plan.ambiguous > 0);
  const medium = createMedium({ random: chance.fork(), clock, plan, ledger, point: passed });
  const groups = several ? createGroups({ clock, random: chance.fork(), partitions, ledger, changed: () => lives.markUp() }) : null;
  const checks = checkWorld({
    ledger,
    disk,
    partitions,
    staleMs,
    groups,
    living: () => lives.all,
    isWell: (life) => medium.state === 'well' && !medium.isDeaf(life),
  });
  let policyNumber = 0;
  let policy = drawPolicy('');
  let chaotic = true;
  /** What is to happen while a run is about to act. */
  const duringRuns: ((playbook: string) => void)[] = [];
  let freezeAt: Point | null = null;
  let deafAt: Point | null = null;
  let shuffleAt: Point | null = null;
  let armed: { readonly point: Point; left: number } | null = null;
  const chaos = (): boolean => chaotic;
  const say = (line: string): void => tell(`${(clock.steady() / 1_000).toFixed(3).padStart(10)}  ${line}`);

  ledger.onBreach = (promise) => say(`BROKEN: ${promise}`);

  const outer = { clock, plan, ledger, intake: () => lives.intake };
  const senders = createSenders({ ...outer, random: chance.fork(), others, isStormy, isTogether });
  const people = createPeople({ ...outer, random: chance.fork() });
  const { healthy, treat } = senders;
  const outside = createOutside({ random: chance.fork(), others: vendors, clock, plan, ledger, point: passed, chaos, healthy, treat });
  const inner = { clock, shared: disk, partitions, groups, plan, ledger, checks, medium, outside, tampering, chaos, say };
  const lives: Lives = createLives({ ...inner, random: chance.fork(), policy: () => policy });

  /** A process that is to die at such a moment dies. */
  function passed(point: Point, life: number): void {
    if (chaotic && point === deafAt) deafen(life);
    if (chaotic && point === shuffleAt) shuffle('effects');
    if (chaotic && point === freezeAt) {
      if (point === 'claimed') ledger.reach('frozen with a claim on its way');
      freeze(life);
    }
    if (armed?.point !== point || !chaotic) return;
    armed.left -= 1;
    if (armed.left > 0) return;
    armed = null;
    lives.die(`at ${point}`, life);
  }

  function armCrash(): void {
    if (faults.chance(0.25)) lives.die('at any time');
    else armed = { point: faults.pick(points), left: faults.int(1, 6) };
  }

  function freeze(life?: number): void {
    freezeAt = null;
    lives.freeze(faults.chance(0.5) ? faults.int(4, 14) * second : faults.int(1, 90) * second, life);
  }

  function armFreeze(): void {
    if (faults.chance(0.3)) freeze();
    else freezeAt = faults.pick(['claimed', 'claimed', 'append', 'sync']);
  }

  function deafen(life?: number): void {
    deafAt = null;
    lives.deafen(faults.chance(0.5) ? faults.int(2, 30) * second : faults.int(40, 90) * second, life);
  }

  function armDeafness(): void {
    if (faults.chance(0.4)) deafen();
    else deafAt = 'claimed';
  }

  /** There, and often back again before long. */
  function shuffle(role: SharedRole): void {
    shuffleAt = null;
    groups?.[role].shuffle();
    if (faults.chance(0.6)) clock.after(faults.int(1, 15) * second, () => groups?.[role].shuffle());
  }

  function armShuffle(): void {
    if (faults.chance(0.5)) shuffle(faults.pick(['host', 'effects']));
    else shuffleAt = 'claimed';
  }

  function jump(): void {
    const span = drawJump(faults);
    clock.jump(span);
    ledger.jumped(span);
    if (lives.load().waits > 0) ledger.reach(`clock jumped ${span > 0 ? 'forward' : 'back'} during a wait`);
    say(`the clock jumps by ${Math.round(span / minute)} minutes`);
  }

  function spell(state: 'slow' | 'away' | 'well'): void {
    medium.set(state);
    lives.markUp();
    say(`the medium is ${state}`);
  }

  function sick(state: 'slow' | 'away'): void {
    spell(state);
    clock.after(faults.int(1, 90) * 1_000, () => {
      if (chaotic) spell('well');
    });
  }

  function drawPolicy(about: string): Policy {
    const whole = simPolicy(policies, policyNumber, staleMs, about);
    if (isStormy) return { ...whole, storm: { ...whole.storm, alerts: 2 } };
    if (!isTogether) return whole;
    const delivery = { keepTryingMs: 24 * hour, lastResort: [], bundleMs: 30 * second };
    return { ...whole, storm: { ...whole.storm, alerts: 100 }, delivery };
  }

  /** With the named playbook, if any, edited for certain. */
  function republish(about: string): void {
    policyNumber += 1;
    policy = drawPolicy(about);
    lives.publish();
  }

  /** Half of the time at any moment, else when a run has just asked for something, and is about to act. */
  function aroundRuns(what: (playbook: string) => void): void {
    if (faults.chance(0.5)) what('');
    else duringRuns.push(what);
  }

  ledger.watch({
    fact({ fact }, desk) {
      const isAsking = fact.type === 'ApprovalRequested' || (fact.type === 'StepRequested' && fact.phase !== 'undo');
      const next = isAsking && chaotic ? duringRuns.shift() : undefined;
      if (next === undefined || !('run' in fact)) return;
      const { name = '' } = desk.tables.playbooks.rows.get(desk.tables.runs.rows.get(fact.run)?.playbook ?? '') ?? {};
      clock.after(faults.int(0, 3 * second), () => (chaotic ? next(name) : undefined));
    },
  });

  // Now and then somebody comes between the first request of a run and its first grant.
  ledger.watch({
    fact({ fact }) {
      if (!chaotic || fact.type !== 'ResourceRequested' || !faults.chance(0.2)) return;
      const { scope, want } = fact;
      clock.after(faults.int(0, 25), () => (chaotic ? people.interrupt(scope, want.incident) : undefined));
    },
  });

  // Between the request of a word or a deed and its grant somebody takes the incident, or stops everything.
  ledger.watch({
    fact({ fact }) {
      if (!chaotic || plan.people === 0) return;
      if (fact.type === 'NotifyRequested' && betweens.chance(0.08)) soon(() => people.take(fact.scope, fact.incident));
      if (fact.type === 'StepRequested' && fact.phase === 'steps' && betweens.chance(isSlow() ? 0.4 : 0.03)) soon(people.freeze);
    },
  });

  // What is told together does not stay together: somebody takes the one that leads the message alone, or one that it tells besides.
  ledger.watch({
    fact({ fact }, desk) {
      if (!chaotic || plan.people === 0 || fact.type !== 'NotifyGranted' || fact.notification.also === undefined) return;
      const incident = together.pick([fact.incident, ...fact.notification.also.map((told) => told.incident)]);
      if (together.chance(0.7)) clock.after(together.int(0, 20 * second), () => (chaotic ? people.take(desk.scope, incident) : undefined));
    },
  });

  /** Much lies between a request and its grant then. */
  const isSlow = (): boolean => medium.state === 'slow';

  function soon(what: () => void): void {
    clock.after(betweens.int(0, 12), () => (chaotic ? what() : undefined));
  }

  function scatter(count: number, what: () => void): void {
    for (let number = 0; number < count; number += 1) {
      clock.after(faults.int(0, plan.chaosMs), () => {
        if (chaotic) what();
      });
    }
  }

  const run = (span: Millis): Promise<void> => clock.run(clock.steady() + span, ledger.settled);
  return {
    plan,
    ledger,
    checks,
    lives,
    senders,
    people,
    say,
    run,
    chaos() {
      lives.begin();
      senders.start();
      scatter(plan.crashes, armCrash);
      scatter(plan.stops, () => void lives.leave());
      scatter(plan.freezes, armFreeze);
      scatter(plan.cuts, () => lives.cutOff(faults.int(1, 60) * second));
      scatter(plan.deafs, armDeafness);
      scatter(plan.shuffles, armShuffle);
      scatter(plan.jumps, jump);
      scatter(plan.outages, () => sick('away'));
      scatter(plan.slowSpells, () => sick('slow'));
      scatter(plan.people, () => aroundRuns(people.act));
      scatter(plan.policies, () => aroundRuns(republish));
    },
    endChaos() {
      chaotic = false;
      armed = null;
      freezeAt = null;
      deafAt = null;
      shuffleAt = null;
      medium.heal();
      lives.markUp();
      senders.calm();
      lives.begin();
      say('the faults are over');
    },
    /** Until nothing is under way and it is quiet; a world that never is gets no more than half a day. */
    async rest(quiet: () => boolean): Promise<void> {
      const until = clock.steady() + hushMaxMs + staleMs;
      await run(minute);
      const idle = (): boolean => lives.load().underWay === 0 && lives.load().lag === 0;
      while (clock.steady() < until && !(idle() && quiet()) && ledger.broken.length === 0) await run(5 * minute);
    },
  };
}
