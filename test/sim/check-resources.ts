// What is acted on has one desk for all scopes, partitions and processes: no two runs act on one host at a time, and limits count for all (C8).
// Asked of the deeds themselves and of the facts of the scopes that ran; the desks of the resources are not believed.
import type { PlaybookMode } from '../../src/core/playbook/document.ts';
import type { Fact } from '../../src/core/records.ts';
import { hour, minute, type Millis } from '../../src/core/time.ts';
import type { Act, Ledger, Moment, SeenFact } from './ledger.ts';

/** The playbook of simPolicy with a limit: one attempt in so long. */
const limited = { playbook: 'heal-Cool', max: 1, perMs: hour } as const satisfies { playbook: string; max: number; perMs: Millis };

/** The playbook of simPolicy with a blast radius of one host in five minutes; word of a grant may be so late. */
const narrow = { playbook: 'heal-Flaky', perMs: 5 * minute, lateMs: 2 * minute } as const;

/** The playbook of simPolicy of which one run is at work at a time. */
const single = 'heal-Probe';

/** The playbook of simPolicy that leaves three of four hosts healthy: it acts on none beside one that it works on, or could not heal. */
const floored = { playbook: 'heal-Chain', illMs: 10 * minute, lateMs: 2 * minute } as const;

interface Running {
  readonly seen: Moment;
  readonly run: string;
  readonly scope: string;
  readonly resource: string;
  readonly playbook: string;
  readonly mode: PlaybookMode;
}

export function checkResources(ledger: Ledger): void {
  const running = new Map<string, Running>();
  /** When runs of the limited playbook first did something, by resource. */
  const attempts = new Map<string, { readonly run: string; readonly seen: Moment }[]>();

  /** Hosts that the floored playbook could not heal, and since when. */
  const ill = new Map<string, Moment>();

  /** Runs of the narrow playbook. */
  const begun = new Map<string, { readonly resource: string; readonly seen: Moment }[]>();

  ledger.watch({
    fact({ fact, seen }: SeenFact) {
      if (fact.type === 'RunStarted' && fact.mode !== 'shadow') {
        const { run, scope } = fact;
        const resource = `${scope.split(';')[0]}/${fact.target}`;
        running.set(run, { run, scope, resource, playbook: fact.playbook.name, mode: fact.mode, seen });
        if (fact.playbook.name === floored.playbook) beside(run, resource, seen);
        if (fact.playbook.name === narrow.playbook) apart(run, resource, seen);
      } else if (fact.type === 'RunFinished') ends(fact, seen);
      else if (fact.type === 'ResourceDecided' && fact.answer.verdict === 'waits') ledger.reach('run waits for another scope');
      else if (fact.type === 'ResourceFreed' && fact.why === 'overdue') ledger.reach('resource freed overdue');
    },
    acted(act) {
      const [run = '', part] = act.key.split('/');
      const mine = running.get(run);
      if (mine === undefined || (part !== 'steps' && part !== 'undo')) return;
      alone(mine, act);
      if (mine.playbook === single && mine.mode === 'auto') only(mine, act, 'Q7');
      if (mine.playbook === floored.playbook) only(mine, act, 'Q8');
      if (mine.playbook === limited.playbook) count(mine, act.seen);
    },
  });

  function apart(run: string, resource: string, seen: Moment): void {
    const before = begun.get(narrow.playbook) ?? [];
    const others = before.filter(
      (other) =>
        other.resource !== resource && seen.steady - other.seen.steady < narrow.perMs - narrow.lateMs && isSameTime(other.seen, seen),
    );
    if (others.length > 0)
      ledger.breach(`Q6: ${run} began on ${resource} when ${narrow.playbook} had just begun on ${others[0]?.resource}`);
    begun.set(narrow.playbook, [...before, { resource, seen }]);
  }

  function ends({ run, end, because }: Extract<Fact, { type: 'RunFinished' }>, seen: Moment): void {
    const mine = running.get(run);
    running.delete(run);
    if (mine?.playbook !== floored.playbook) return;
    if (end === 'succeeded' || end === 'noop') ill.delete(mine.resource);
    else if (because === undefined) ill.set(mine.resource, seen);
  }

  /** Q8 */
  function beside(run: string, resource: string, seen: Moment): void {
    for (const [other, since] of ill) {
      const isIll = seen.steady - since.steady < floored.illMs - floored.lateMs && isSameTime(since, seen);
      if (isIll && other !== resource && other.split('/')[0] === resource.split('/')[0])
        ledger.breach(`Q8: ${run} began on ${resource} although ${other} was ill`);
    }
  }

  /** A group counts a run for the longest time that it may take: on a clock that leapt that was over. */
  function only(mine: Running, { key, seen }: Act, rule: 'Q7' | 'Q8'): void {
    const tenant = mine.resource.split('/')[0];
    for (const other of running.values()) {
      const counts = other.playbook === mine.playbook && (rule === 'Q8' ? other.resource !== mine.resource : other.mode === 'auto');
      if (other.run !== mine.run && counts && isSameTime(other.seen, seen) && other.resource.split('/')[0] === tenant)
        ledger.breach(`${rule}: ${key} acted on ${mine.resource} while ${other.run} of ${other.scope} was at work on ${other.resource}`);
    }
  }

  function alone(mine: Running, { key }: Act): void {
    for (const other of running.values()) {
      if (other.run !== mine.run && other.resource === mine.resource)
        ledger.breach(`Q1: ${key} acted on ${mine.resource} while ${other.run} of ${other.scope} had it`);
    }
  }

  function count({ run, resource }: Running, seen: Moment): void {
    const before = attempts.get(resource) ?? [];
    if (before.some((attempt) => attempt.run === run)) return;
    const within = before.filter((attempt) => seen.steady - attempt.seen.steady < limited.perMs && isSameTime(attempt.seen, seen));
    if (within.length >= limited.max)
      ledger.breach(`Q2: ${run} is attempt ${within.length + 1} of ${limited.playbook} on ${resource} within an hour`);
    attempts.set(resource, [...before, { run, seen }]);
  }
}

/** Where the clock leapt, an hour was over sooner: when it leapt, or when a process came to believe it, which each does at its own time. */
function isSameTime(a: Moment, b: Moment): boolean {
  return a.forward === b.forward && a.believed === a.forward;
}
