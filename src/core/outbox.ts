// Which facts are the outbox (L2 in records.ts): they ask for something to be done outside, or say that nothing is left to do about it.
// Whoever carries them out (engine/effects), looks for what was left open (offline/move), or plays the world (offline/replay) switches over
// OutboxFact without a default: a new fact does not compile until it says here what it is, and one that asks not until all of them know it.
import type { Fact } from './records.ts';

const table = {
  AlertMerged: false,
  AlertDecided: false,
  AlertJoined: false,
  AlertMuted: false,
  AlertFlapping: false,
  AlertsMissing: false,
  IncidentOpened: false,
  IncidentChanged: false,
  IncidentNested: false,
  IncidentUnnested: false,
  IncidentDecided: false,
  TriggerHeld: false,
  IncidentAcknowledged: false,
  IncidentUnacknowledged: false,
  IncidentResolved: false,
  IncidentReopened: false,
  IncidentNoted: false,
  RunStarted: false,
  RunRefused: false,
  ApprovalRequested: false,
  ApprovalGiven: false,
  StepRequested: true,
  StepQueued: false,
  StepGranted: true,
  StepCalledOff: true,
  StepFinished: true,
  RunMoved: false,
  RunFinished: false,
  ResourceRequested: true,
  ResourceAnswered: false,
  ResourceReleased: true,
  ResourceDecided: true,
  ResourceFreed: true,
  GroupDecided: true,
  GroupFreed: false,
  PageOpened: false,
  PageRang: false,
  PageReachChanged: false,
  NotifyHeld: false,
  NotifyRequested: true,
  NotifyGranted: true,
  NotifyDropped: true,
  NotifyFinished: true,
  PageAcked: true,
  PageClosed: true,
  SilenceChanged: false,
  PolicyAdopted: false,
  InstallationAdopted: false,
  FreezeChanged: false,
  RuleLearned: false,
  WakeRequested: true,
  WakeSpent: true,
  DeskSwept: false,
  DeskSetBack: false,
} as const satisfies { readonly [Type in Fact['type']]: boolean };

type OutboxType = { [Type in Fact['type']]: (typeof table)[Type] extends true ? Type : never }[Fact['type']];

export type OutboxFact = Extract<Fact, { readonly type: OutboxType }>;

export function isOutbox(fact: Fact): fact is OutboxFact {
  return table[fact.type];
}
