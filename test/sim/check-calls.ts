// Promises 2 and 3: no action twice, none without a grant; every run ends, and every bad end calls a person.
import type { Desk } from '../../src/core/desk.ts';
import type { Fact } from '../../src/core/records.ts';
import type { RunEnd } from '../../src/core/run/facts.ts';
import { second } from '../../src/core/time.ts';
import { deskName, type Act, type Ledger, type Moment, type SeenFact } from './ledger.ts';

const quietEnds: ReadonlySet<RunEnd> = new Set(['succeeded', 'noop', 'shadowed']);
/** From a bad end to the first ring: the longest settling of simPolicy, and what a rest or a restart may cost. */
const callWithinMs = 30 * second;
const perTroubleMs = 3 * second;
/** The longest settling of simPolicy: over a wall clock that went back, a restart begins it anew (W1). */
const settleMs = 20 * second;
/** Of the time that core gives for it, what a worker that is well may need. */
const claimWithinMs = 15 * second;

interface Owed {
  readonly run: string;
  readonly end: RunEnd;
  readonly incident: string;
  readonly desk: string;
  readonly since: Moment;
}

export function checkCalls(ledger: Ledger): { ended(): void } {
  const granted = new Map<string, string>();
  const finished = new Set<string>();
  const requested = new Map<string, Moment>();
  const effects = new Map<string, number>();
  const open = new Map<string, string>();
  const approval = new Map<string, boolean>();
  const owed = new Map<string, Owed>();
  /** Partitions that are frozen where their inputs have been read to. */
  const frozen = new Set<number>();
  /** Claims that stand on the log outside a freeze, by call and worker: core may grant these. */
  const claimedInTime = new Set<string>();

  ledger.watch({
    input(input, partition) {
      if (input.type === 'StepClaimed' && !frozen.has(partition)) claimedInTime.add(`${input.run}/${input.call} ${input.worker}`);
      if (input.type !== 'CommandGiven') return;
      if (input.command.name === 'freeze') frozen.add(partition);
      if (input.command.name === 'thaw') frozen.delete(partition);
    },
    acted(act) {
      actedOnce(act);
      if (granted.get(act.key)?.startsWith(`${act.worker}.`) !== true)
        ledger.breach(`X1: ${act.worker} acted on ${act.key} without a grant of its own on the log`);
      if (finished.has(act.key)) ledger.breach(`X1: ${act.worker} began ${act.key} when the log had ended it already`);
      const run = act.key.slice(0, act.key.indexOf('/'));
      if (act.key.includes('/steps/') && approval.get(run) === false) ledger.breach(`R21: ${act.key} began without an approval`);
    },
    fact(seen, desk) {
      follow(seen, desk);
      settle(seen, desk);
    },
    settled(now) {
      for (const debt of owed.values()) if (isOverdue(debt, now)) callIn(debt);
    },
  });

  function actedOnce({ key, uses }: Act): void {
    const times = (effects.get(key) ?? 0) + 1;
    effects.set(key, times);
    if (times > 1) ledger.breach(`X1: ${uses} was done ${times} times for ${key}`);
  }

  function follow({ fact, seen }: SeenFact, desk: Desk): void {
    switch (fact.type) {
      case 'StepGranted':
        return grant(`${fact.run}/${fact.call}`, fact);
      case 'StepFinished':
        finished.add(`${fact.run}/${fact.call}`);
        if (fact.outcome.outcome === 'failed' && fact.outcome.error === 'unclaimed') unclaimed(`${fact.run}/${fact.call}`, seen);
        return;
      case 'StepRequested':
        requested.set(`${fact.run}/${fact.call}`, seen);
        return;
      case 'RunStarted':
        if (open.has(fact.run)) ledger.breach(`R3: run ${fact.run} started twice`);
        open.set(fact.run, fact.target);
        if (fact.mode === 'approve') approval.set(fact.run, false);
        if (fact.mode !== 'shadow') alone(fact.run, fact.target, desk);
        return;
      case 'ApprovalGiven':
        if (fact.approved) approval.set(fact.run, true);
        return;
      case 'RunFinished':
        if (!open.delete(fact.run)) ledger.breach(`R3: run ${fact.run} ended and was not at work`);
        return;
      default:
    }
  }

  function grant(key: string, fact: Extract<Fact, { type: 'StepGranted' }>): void {
    if (granted.has(key)) ledger.breach(`R1: ${key} was granted twice`);
    granted.set(key, fact.worker);
    // Asked of the inputs: facts of one batch reach a slow log scope by scope, so that their order among scopes says nothing.
    const acts = fact.call.startsWith('steps/') || fact.call.startsWith('undo/');
    if (acts && !claimedInTime.has(`${key} ${fact.worker}`)) ledger.breach(`R4: ${key} was granted while frozen`);
  }

  function unclaimed(key: string, now: Moment): void {
    const since = requested.get(key) ?? now;
    if (now.up - since.up > claimWithinMs + perTroubleMs * (now.troubles - since.troubles))
      ledger.breach(`X5: ${key} was claimed by nobody in ${now.up - since.up} ms in which somebody was there to`);
  }

  /** G2: two runs never hold one target. */
  function alone(run: string, target: string, desk: Desk): void {
    for (const other of desk.tables.runs.rows.values()) {
      if (other.end === null && other.mode !== 'shadow' && other.target === target)
        ledger.breach(`G2: ${run} and ${other.id} both hold ${target}`);
    }
  }

  function settle({ fact, partition, seen }: SeenFact, desk: Desk): void {
    if (fact.type === 'RunFinished') {
      const run = desk.tables.runs.rows.get(fact.run);
      if (quietEnds.has(fact.end) || run === undefined || run.mode === 'shadow') return;
      if ((fact.because === 'frozen' || fact.because === 'slots') && run.acted === undefined) return; // its playbook is asked again (check-choosing.ts)
      const incident = desk.tables.incidents.rows.get(fact.incident);
      if (incident?.state !== 'open' || desk.tables.pages.rows.get(incident.page ?? '')?.state === 'ringing') return;
      const debt = { run: fact.run, end: fact.end, incident: fact.incident, desk: deskName(partition, fact.scope), since: seen };
      owed.set(fact.run, debt);
      return;
    }
    // The next remedy takes the debt over: its own end owes a call (C5).
    const relieved =
      fact.type === 'RunStarted' || fact.type === 'PageRang' || fact.type === 'IncidentResolved' || fact.type === 'IncidentAcknowledged';
    if (relieved) for (const debt of owed.values()) if (debt.incident === fact.incident) owed.delete(debt.run);
  }

  /** Somebody has it, or must not be disturbed, or a page is ringing: no call is owed. */
  function isTaken({ end, incident, desk }: Owed): boolean {
    const tables = ledger.desks.get(desk)?.tables;
    const row = tables?.incidents.rows.get(incident);
    if (tables === undefined || row === undefined || row.state !== 'open' || row.decision === 'suppress') return true;
    if (row.decision === 'hold') return true; // a guard that may lift is waited for until the hold-off (C6); what burns beyond is asked in the calm
    const page = row.page === null ? undefined : tables.pages.rows.get(row.page);
    if (page?.state === 'acked' && (end === 'denied' || end === 'cancelled')) return true; // by the word of a person who had been called
    return page?.state === 'ringing';
  }

  function isOverdue(debt: Owed, now: Moment): boolean {
    const restarts = now.lives - debt.since.lives;
    const again = now.back > 0 ? settleMs * restarts : 0;
    return now.up - debt.since.up > callWithinMs + perTroubleMs * (now.troubles - debt.since.troubles + restarts) + again;
  }

  function callIn(debt: Owed): void {
    owed.delete(debt.run);
    if (!isTaken(debt)) ledger.breach(`R3: run ${debt.run} ended ${debt.end} and nobody was called about ${debt.incident}`);
  }

  return {
    ended() {
      for (const run of open.keys()) ledger.breach(`R3: run ${run} never ended`);
      for (const debt of owed.values()) callIn(debt);
    },
  };
}
