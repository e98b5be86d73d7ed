// Holds a simulated world to what the gateway promises (DESIGN 7, SECURITY C.6), with the ledger and the disk as witnesses.
// Each group of promises is one part; what is broken is written to the ledger. Pages and waits are in checks of their own.
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import { severityRank } from '../../src/core/alert/severity.ts';
import { worldOf, type Desk } from '../../src/core/desk.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { everyScope } from '../../src/core/stamp.ts';
import type { Millis } from '../../src/core/time.ts';
import { checkClock } from './check-clock.ts';
import { checkCalls } from './check-calls.ts';
import { checkChoosing } from './check-choosing.ts';
import { checkCursors } from './check-cursors.ts';
import { checkEras } from './check-eras.ts';
import { checkGrants } from './check-grants.ts';
import { checkMutes } from './check-mutes.ts';
import { checkPages } from './check-pages.ts';
import { checkPaths } from './check-paths.ts';
import { checkPresent } from './check-present.ts';
import { checkReach } from './check-reach.ts';
import { checkResources } from './check-resources.ts';
import { checkSenders } from './check-senders.ts';
import { checkShares } from './check-shares.ts';
import { checkTaken } from './check-taken.ts';
import { checkUncalled } from './check-uncalled.ts';
import { checkStale } from './check-stale.ts';
import { checkState } from './check-state.ts';
import { checkWaits } from './check-waits.ts';
import { inputsOn, type Ledger } from './ledger.ts';
import { loud, rankOf } from './loud.ts';
import type { Life } from './life.ts';
import type { Groups } from './shares.ts';

export interface Checks {
  /** A process is about to be killed, with so many actions at work. */
  dying(atWork: number): void;
  /** A process is gone: what the next one will load must be what the facts say. */
  died(): void;
  /** Faults are over for long, sources still repeat what burns. */
  calm(policy: Policy | null): void;
  /** True when nothing burns and nothing is awaited but that it might burn again. */
  quiet(): boolean;
  /** Every alert has cleared or was taken as ended. */
  hushed(): void;
  /** People resolved what was in doubt: nothing waits for anything any more. */
  rest(bug: string | null): void;
  /** The process has stopped. */
  end(models: readonly MemoryDisk[]): Promise<void>;
}

export interface CheckParts {
  readonly ledger: Ledger;
  readonly disk: MemoryDisk;
  readonly partitions: number;
  /** Of the world's policies. */
  readonly staleMs: Millis;
  /** Who was given which partition; null where one process has them all. */
  readonly groups: Groups | null;
  readonly living: () => readonly Life[];
  /** Whether the medium is well as that life has it. */
  readonly isWell: (life: number) => boolean;
}

export function checkWorld(parts: CheckParts): Checks {
  const { ledger } = parts;
  const waits = checkWaits(ledger);
  const pages = checkPages(ledger);
  const grants = checkGrants(ledger);
  const reach = checkReach(ledger);
  const calls = checkCalls(ledger);
  const state = checkState(parts);
  checkEras(ledger);
  checkPresent(ledger);
  checkChoosing(ledger);
  checkResources(ledger);
  checkUncalled(ledger);
  checkTaken(ledger);
  checkSenders(ledger);
  checkMutes(ledger);
  checkShares(parts);
  checkStale(ledger, parts.staleMs);
  checkCursors(parts);
  const paths = checkPaths(parts);
  const clock = checkClock(ledger);
  return {
    dying: paths.dying,
    died: state.saved,
    calm(policy) {
      waits.overdue();
      pages.calm();
      clock.calm();
      const digests = new Set(
        [...ledger.desks].filter(([name]) => name.endsWith(`/${everyScope}`)).map(([, desk]) => worldOf(desk).policy?.digest),
      );
      if (digests.size !== 1) ledger.breach(`T4: partitions follow different policies: ${[...digests].join(', ')}`);
      for (const desk of ledger.desks.values()) {
        if (policy !== null) burning(ledger, desk, policy);
        namedAfterWorst(ledger, desk);
      }
    },
    quiet: () => [...ledger.desks.values()].every(isQuiet),
    hushed() {
      for (const desk of ledger.desks.values()) inDoubt(ledger, desk);
    },
    rest(bug) {
      if (bug !== null) ledger.breach(`H3: the partition stopped: ${bug}`);
      waits.none();
      calls.ended();
      pages.ended();
      grants.ended();
      reach.ended();
      for (const desk of ledger.desks.values()) atRest(ledger, desk);
    },
    async end(models) {
      ledger.observe();
      state.saved();
      checkAlerts(parts);
      paths.end();
      await state.turnedAgain();
      await state.shown(models);
    },
  };
}

/** An incident that burns, that nobody took, and that no mute covers, has called a person once the faults are long over. */
function burning(ledger: Ledger, desk: Desk, policy: Policy): void {
  for (const incident of desk.tables.incidents.rows.values()) {
    if (incident.state !== 'open' || incident.firing === 0 || incident.page !== null || incident.run !== null) continue;
    const parent = incident.parent === null ? undefined : desk.tables.incidents.rows.get(incident.parent);
    if (parent !== undefined && parent.state !== 'resolved') continue;
    const rank = rankOf(loud(desk, incident)); // a member that has cleared makes nothing grave
    if (rank < 0) continue;
    const failed = incident.outcome !== null;
    const worth = rank >= severityRank(policy.paging.severity) && incident.score.value >= policy.paging.score;
    if (failed || worth) ledger.breach(`B1: ${incident.id} burns and nobody was paged; it says ${incident.decision}: ${incident.reason}`);
  }
}

/** What burns is called by, and as grave as, the worst of it that calls somebody. */
function namedAfterWorst(ledger: Ledger, desk: Desk): void {
  for (const incident of desk.tables.incidents.rows.values()) {
    const rows = loud(desk, incident).filter(({ alert }) => !alert.soft); // what its source has not confirmed names nothing
    const rank = rankOf(rows);
    const isAsked = incident.members <= incident.listed.length;
    if (incident.storm || incident.state === 'resolved' || rank < 0 || !isAsked) continue;
    const said = incident.now ?? incident.severity;
    const worst = rows.filter(({ alert }) => severityRank(alert.severity) === rank);
    if (severityRank(said) !== rank)
      ledger.breach(`Y1: ${incident.id} is called ${said}, and the worst of it is ${worst[0]?.alert.severity}`);
    if (!worst.some(({ alert }) => incident.title.includes(alert.summary.slice(0, 40))))
      ledger.breach(`Y1: ${incident.id} is called ${incident.title}, and the worst of it is ${worst[0]?.alert.summary}`);
    if (incident.now !== undefined) ledger.reach('less grave than it was');
  }
}

function isQuiet({ tables }: Desk): boolean {
  return (
    tables.wakes.rows.values().every(({ wake }) => wake.kind === 'stale') &&
    tables.incidents.rows.values().every((incident) => incident.state !== 'resolved' && incident.firing === 0)
  );
}

/** What is still open although nothing burns was left in doubt by a playbook, and a person was called or has it. */
function inDoubt(ledger: Ledger, desk: Desk): void {
  for (const incident of desk.tables.incidents.rows.values()) {
    if (incident.firing > 0) ledger.breach(`I2: ${incident.id} still burns when every alert is over`);
    const called = incident.page !== null || incident.state === 'acknowledged';
    const doubted = incident.outcome !== null && incident.outcome.end !== 'succeeded' && incident.outcome.end !== 'noop';
    if (!called || !doubted) ledger.breach(`I2: ${incident.id} is still ${incident.state}: ${incident.decision}, ${incident.reason}`);
    else ledger.reach('left open, in doubt');
  }
}

/** Nothing may be left but counters. */
function atRest(ledger: Ledger, desk: Desk): void {
  const { incidents, runs, pages, resources } = desk.tables;
  for (const incident of incidents.rows.values())
    ledger.breach(`I2: ${incident.id} never left the desk: ${incident.state}, ${incident.reason}`);
  for (const run of runs.rows.values()) ledger.breach(`R3: run ${run.id} of a gone incident is still on the desk`);
  for (const [resource, { holder }] of resources.rows) ledger.breach(`Q4: ${resource} is still on its desk, held by ${holder ?? 'nobody'}`);
  for (const page of pages.rows.values()) ledger.breach(`P2: page ${page.id} of a gone incident is still on the desk`);
}

// ---------------------------------------------------------------- promise 1: no accepted alert is lost

function checkAlerts({ ledger, disk, partitions }: CheckParts): void {
  const lost = new Set(ledger.accepted);
  const decided = new Map<string, number>();
  for (const { fact, partition } of ledger.facts) {
    if (fact.type !== 'AlertDecided') continue;
    const place = `${partition}:${fact.offset}`;
    decided.set(place, (decided.get(place) ?? 0) + 1);
  }
  for (let partition = 0; partition < partitions; partition += 1) {
    const delivered = new Set<string>();
    for (const { offset, input } of inputsOn(disk, partition)) {
      if ('by' in input) lost.delete(input.by);
      if (input.type === 'SilenceSet') lost.delete(input.silence.by);
      if (input.type !== 'AlertSeen') continue;
      lost.delete(input.event.annotations['mark'] ?? '');
      const again = input.delivery !== '' && delivered.has(`${input.scope}|${input.delivery}|${input.index}`);
      delivered.add(`${input.scope}|${input.delivery}|${input.index}`);
      if (again) ledger.reach('redelivery dropped');
      const count = decided.get(`${partition}:${offset}`) ?? 0;
      if (count !== (again ? 0 : 1))
        ledger.breach(`A1: input ${partition}:${offset} (${again ? 'redelivered' : 'new'}) was decided ${count} times`);
    }
  }
  for (const mark of lost) ledger.breach(`A1: ${mark} was accepted and is not on the log`);
  for (const letter of ledger.letters) if (!disk.content.letters.has(letter)) ledger.breach(`A1: dead letter ${letter} is gone`);
  oncePerDelivery(ledger, disk, partitions);
}

/** Whatever id the gateway worked with: an event that its sender delivered twice under one id is decided once. */
function oncePerDelivery(ledger: Ledger, disk: MemoryDisk, partitions: number): void {
  const seen = new Map<string, number>();
  const marks = new Map<string, string>();
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { offset, input } of inputsOn(disk, partition)) {
      if (input.type === 'AlertSeen') marks.set(`${partition}:${offset}`, input.event.annotations['mark'] ?? '');
    }
  }
  for (const { fact, partition } of ledger.facts) {
    if (fact.type !== 'AlertDecided') continue;
    const mark = marks.get(`${partition}:${fact.offset}`) ?? '';
    seen.set(mark, (seen.get(mark) ?? 0) + 1);
  }
  for (const [mark, count] of seen) {
    if (count > 1 && ledger.identified.has(mark))
      ledger.breach(`A2: ${mark} came again under its delivery id and was decided ${count} times`);
  }
}
