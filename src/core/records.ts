// The two languages of the log, as unions: inputs (what the world said) and facts (what was decided). Each noun's are in its facts.ts.
// Names are the stored format: a record may gain fields, it never changes or loses one.
//   L1  A fact is decided by exactly one input; its `seq` grows by one within its scope.
//   L2  A request is a fact: the log is the outbox.
//   L3  Folding a scope's facts gives its desk.
import type { AlertFlapping, AlertMerged, AlertSeen, AlertsHidden, AlertsMissing } from './alert/facts.ts';
import type { ClockCorrected, DeskSetBack } from './clock/facts.ts';
import type { AlertDecided, IncidentDecided, TriggerHeld } from './decide/facts.ts';
import type {
  Acked,
  AlertJoined,
  IncidentAcknowledged,
  IncidentChanged,
  IncidentNested,
  IncidentNoted,
  IncidentOpened,
  IncidentReopened,
  IncidentResolved,
  IncidentUnacknowledged,
  IncidentUnnested,
  Resolved,
  Unacked,
} from './incident/facts.ts';
import type { AlertMuted, SilenceChanged, SilenceSet } from './mute/facts.ts';
import type {
  NotifyAnswered,
  NotifyClaimed,
  NotifyDropped,
  NotifyFinished,
  NotifyGranted,
  NotifyHeld,
  NotifyRequested,
  PageAcked,
  PageClosed,
  PageOpened,
  PageRang,
  PageReachChanged,
} from './page/facts.ts';
import type {
  CommandGiven,
  FreezeChanged,
  InstallationAdopted,
  InstallationNamed,
  PolicyAdopted,
  PolicyPublished,
} from './playbook/facts.ts';
import type {
  GroupDecided,
  GroupFreed,
  ResourceAnswered,
  ResourceDecided,
  ResourceFreed,
  ResourceReleased,
  ResourceRequested,
  ResourceReturned,
  ResourceTold,
  ResourceWanted,
} from './resource/facts.ts';
import type {
  ApprovalGiven,
  ApprovalRequested,
  Approved,
  Denied,
  RunFinished,
  RunMoved,
  RunRefused,
  RunStarted,
  StepAnswered,
  StepClaimed,
  StepDelayed,
  StepFinished,
  StepCalledOff,
  StepGranted,
  StepQueued,
  StepRequested,
} from './run/facts.ts';
import type { RuleLearned } from './score/facts.ts';
import type { DeskSwept } from './sweep.ts';
import type { WakeRequested, WakeSpent, Woke } from './wakes.ts';

export type Input =
  | AlertSeen
  | AlertsHidden
  | StepClaimed
  | StepDelayed
  | StepAnswered
  | NotifyClaimed
  | NotifyAnswered
  | Acked
  | Unacked
  | Resolved
  | Approved
  | Denied
  | ResourceWanted
  | ResourceReturned
  | ResourceTold
  | CommandGiven
  | SilenceSet
  | Woke
  | PolicyPublished
  | InstallationNamed
  | ClockCorrected;

export type Fact =
  | PolicyAdopted
  | InstallationAdopted
  | FreezeChanged
  | IncidentNested
  | IncidentUnnested
  | AlertMerged
  | AlertDecided
  | IncidentOpened
  | AlertJoined
  | AlertMuted
  | AlertFlapping
  | AlertsMissing
  | IncidentChanged
  | IncidentAcknowledged
  | IncidentUnacknowledged
  | IncidentResolved
  | IncidentReopened
  | IncidentDecided
  | TriggerHeld
  | IncidentNoted
  | RunStarted
  | RunRefused
  | ApprovalRequested
  | ApprovalGiven
  | StepRequested
  | StepQueued
  | StepGranted
  | StepCalledOff
  | StepFinished
  | RunMoved
  | RunFinished
  | ResourceRequested
  | ResourceAnswered
  | ResourceReleased
  | ResourceDecided
  | ResourceFreed
  | GroupDecided
  | GroupFreed
  | PageOpened
  | PageRang
  | PageReachChanged
  | NotifyRequested
  | NotifyGranted
  | NotifyHeld
  | NotifyDropped
  | NotifyFinished
  | PageAcked
  | PageClosed
  | SilenceChanged
  | RuleLearned
  | WakeRequested
  | WakeSpent
  | DeskSwept
  | DeskSetBack;
