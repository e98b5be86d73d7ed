// What is counted of each fact, for whoever scrapes. Every fact stands here by name; those that are not counted say so.
import type { Decision } from '../core/decide/facts.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { Fact } from '../core/records.ts';
import type { RunEnd } from '../core/run/facts.ts';
import type { Millis } from '../core/time.ts';

/** What happens to a page. */
export type PageEvent = 'opened' | 'rang' | 'unreached' | 'exhausted' | 'reached' | 'acked' | 'closed';

/** Counters by what they count. */
export interface Counter {
  decision(decision: Decision): void;
  /** How far the clock of the sender behind an endpoint is from ours, as far as that is taken out: positive when it is behind. */
  skew(endpoint: string, skewMs: Millis): void;
  page(event: PageEvent): void;
  notification(notifier: string, outcome: NotifyOutcome['outcome'] | 'dropped'): void;
  run(playbook: string, end: RunEnd): void;
}

type Table = { readonly [Type in Fact['type']]: (counter: Counter, fact: Extract<Fact, { type: Type }>) => void };

export function count(counter: Counter, fact: Fact): void {
  const add = table[fact.type] as (counter: Counter, fact: Fact) => void; // the row of its own type
  add(counter, fact);
}

const uncounted = (): void => {};

const table: Table = {
  AlertMerged: uncounted,
  AlertDecided(counter, { decision, endpoint, lagMs, skewMs = 0 }) {
    counter.decision(decision);
    if (lagMs !== undefined && endpoint !== undefined) counter.skew(endpoint, skewMs);
  },
  AlertJoined: uncounted,
  AlertMuted: uncounted,
  AlertFlapping: uncounted,
  AlertsMissing: uncounted,
  IncidentOpened: uncounted,
  IncidentChanged: uncounted,
  IncidentNested: uncounted,
  IncidentUnnested: uncounted,
  IncidentDecided: uncounted,
  TriggerHeld: uncounted,
  IncidentAcknowledged: uncounted,
  IncidentUnacknowledged: uncounted,
  IncidentResolved: uncounted,
  IncidentReopened: uncounted,
  IncidentNoted: uncounted,
  RunStarted: uncounted,
  RunRefused: uncounted,
  ApprovalRequested: uncounted,
  ApprovalGiven: uncounted,
  StepRequested: uncounted,
  StepQueued: uncounted,
  StepGranted: uncounted,
  StepCalledOff: uncounted,
  StepFinished: uncounted,
  RunMoved: uncounted,
  RunFinished: (counter, fact) => counter.run(fact.playbook, fact.end),
  ResourceRequested: uncounted,
  ResourceAnswered: uncounted,
  ResourceReleased: uncounted,
  ResourceDecided: uncounted,
  ResourceFreed: uncounted,
  GroupDecided: uncounted,
  GroupFreed: uncounted,
  PageOpened: (counter) => counter.page('opened'),
  PageRang: (counter) => counter.page('rang'),
  PageReachChanged: (counter, fact) => counter.page(fact.reach ?? 'reached'),
  NotifyHeld: uncounted,
  NotifyRequested: uncounted,
  NotifyGranted: uncounted,
  NotifyDropped: (counter, fact) => counter.notification(fact.notifier, 'dropped'),
  NotifyFinished: (counter, fact) => counter.notification(fact.notifier, fact.outcome.outcome),
  PageAcked: (counter) => counter.page('acked'),
  PageClosed: (counter) => counter.page('closed'),
  SilenceChanged: uncounted,
  PolicyAdopted: uncounted,
  InstallationAdopted: uncounted,
  FreezeChanged: uncounted,
  RuleLearned: uncounted,
  WakeRequested: uncounted,
  WakeSpent: uncounted,
  DeskSwept: uncounted,
  DeskSetBack: uncounted,
};
