// One fact, one line for people: the words of an incident's timeline. Every fact stands here by name;
// those that would only be noise there say nothing.
import type { AlertFlapping, AlertMerged } from '../core/alert/facts.ts';
import type { Evidence } from '../core/correlate/found.ts';
import type { AlertJoined } from '../core/incident/facts.ts';
import type { Json } from '../core/json.ts';
import type { AlertMuted } from '../core/mute/facts.ts';
import { describeMute } from '../core/mute/mute.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { Fact } from '../core/records.ts';
import type { StepRequested } from '../core/run/facts.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import { lastLines, outputShown, outputText } from '../core/run/told.ts';
import type { Score } from '../core/score/score.ts';
import { clockOf, spanOf, type Instant } from '../core/time.ts';

/** What a fact says to people, and of which incident. */
export interface Line {
  readonly incident: string;
  readonly text: string;
  readonly detail: { readonly [key: string]: Json };
}

/** One line of an incident's story, in its place. */
export interface TimelineEntry extends Line {
  readonly scope: string;
  readonly seq: number;
  readonly at: Instant;
  /** The fact that it tells of. */
  readonly type: string;
}

export function entryOf(fact: Fact): TimelineEntry | null {
  const ownLine = lineOf(fact);
  return ownLine === null ? null : { ...ownLine, scope: fact.scope, seq: fact.seq, at: fact.at, type: fact.type };
}

type Lines = { readonly [Type in Fact['type']]: (fact: Extract<Fact, { type: Type }>) => Line | null };

function lineOf(fact: Fact): Line | null {
  const tell = lines[fact.type] as (fact: Fact) => Line | null; // the row of its own type
  return tell(fact);
}

/** Housekeeping, what is no incident's, and what the next fact says better. */
const silent = (): null => null;

const lines: Lines = {
  AlertMerged: mergedLine,
  AlertDecided: silent,
  AlertJoined: joinedLine,
  AlertMuted: (fact) => ofAlert(fact, mutedText(fact)),
  AlertFlapping: (fact) => ofAlert(fact, flappingText(fact)),
  AlertsMissing: silent,
  IncidentOpened: (fact) => line(fact.incident, `opened: ${fact.title}`, { severity: fact.severity, storm: fact.storm }),
  IncidentChanged: (fact) =>
    fact.words === true
      ? null
      : line(fact.incident, `now ${fact.severity}, score ${fact.score.value}: ${fact.title}`, {
          root: fact.root,
          terms: termsOf(fact.score),
        }),
  IncidentUnnested: (fact) => line(fact.incident, `belongs to ${fact.parent} no longer: ${fact.reason}`, { kind: fact.kind }),
  IncidentNested: (fact) => line(fact.incident, `belongs to ${fact.parent}`, { parent: fact.parent }),
  IncidentDecided: (fact) => line(fact.incident, `decision: ${fact.decision}: ${fact.reason}`, { decision: fact.decision }),
  TriggerHeld: silent,
  IncidentAcknowledged: (fact) =>
    line(fact.incident, `acknowledged by ${fact.by} (${fact.via})${fact.from === undefined ? '' : `, taken over from ${fact.from}`}`, {}),
  IncidentUnacknowledged: (fact) => line(fact.incident, `nobody has it: ${fact.reason}`, { kind: fact.kind, by: fact.by }),
  IncidentResolved: (fact) =>
    line(fact.incident, `resolved by ${fact.by}${fact.who === '' ? '' : ` (${fact.who})`}${remark(fact.note)}${overWhatFires(fact)}`, {
      by: fact.by,
    }),
  IncidentReopened: (fact) => line(fact.incident, `reopened: ${fact.by}`, {}),
  IncidentNoted: (fact) => line(fact.incident, `${fact.by}: ${fact.text}`, {}),
  RunStarted: (fact) =>
    line(fact.incident, `playbook ${fact.playbook.name} ${fact.playbook.version} starts on ${fact.target} (${fact.mode})`, {
      run: fact.run,
      params: fact.params,
    }),
  RunRefused: (fact) =>
    line(fact.incident, `playbook ${fact.playbook} refused by guard ${fact.guard}: ${fact.reason}`, { run: fact.run, guard: fact.guard }),
  ApprovalRequested: (fact) => line(fact.incident, `run ${fact.run} waits for approval`, { run: fact.run, until: fact.until }),
  ApprovalGiven: (fact) =>
    line(fact.incident, `run ${fact.run} ${fact.approved ? 'approved' : 'denied'} by ${fact.by}${remark(fact.note)}`, { run: fact.run }),
  StepRequested: requestedLine,
  StepQueued: (fact) => line(fact.incident, `${fact.call} waits for a slot: ${fact.why}`, { run: fact.run, call: fact.call }),
  StepGranted: ({ incident, run, call, waitedMs }) =>
    incident === undefined || waitedMs === undefined
      ? null
      : line(incident, `${call} begins, after ${spanOf(waitedMs)} of waiting for a slot`, { run, call }),
  StepCalledOff: (fact) => line(fact.incident, `${fact.call} is ended midway: ${fact.why}`, { run: fact.run, call: fact.call }),
  StepFinished: (fact) =>
    line(fact.incident, `${fact.phase} ${fact.step}: ${resultOf(fact.outcome)} after ${spanOf(fact.tookMs)}`, {
      run: fact.run,
      call: fact.call,
      output: outputOf(fact.outcome),
    }),
  RunMoved: (fact) => line(fact.incident, fact.why, { run: fact.run, phase: fact.phase }),
  RunFinished: (fact) => line(fact.incident, `run ended ${fact.end}: ${fact.reason}`, { run: fact.run, end: fact.end }),
  ResourceRequested: silent,
  ResourceAnswered: silent,
  ResourceReleased: silent,
  ResourceDecided: silent,
  ResourceFreed: silent,
  GroupDecided: silent,
  GroupFreed: silent,
  PageOpened: (fact) => line(fact.incident, `paging by ladder ${fact.ladder.name}: ${fact.reason}`, { page: fact.page }),
  PageRang: (fact) =>
    line(fact.incident, `rung ${fact.rung + 1}${fact.round === 0 ? '' : `, round ${fact.round + 1}`} rings`, { page: fact.page }),
  PageReachChanged: (fact) =>
    line(fact.incident, fact.reach === null ? `reached after all: ${fact.why}` : `${fact.reach}: ${fact.why}`, { page: fact.page }),
  NotifyHeld: (fact) =>
    line(fact.incident, `${fact.notifier}: waits until ${clockOf(fact.until)} to be told together with others`, { page: fact.page }),
  NotifyRequested: silent,
  NotifyGranted: silent,
  NotifyDropped: (fact) => line(fact.incident, `${fact.notifier}: not sent, ${fact.why}`, { page: fact.page }),
  NotifyFinished: (fact) =>
    line(fact.incident, `${fact.notifier}: ${answerOf(fact.outcome)}${fact.retry ? ', will try again' : ''}`, { page: fact.page }),
  PageAcked: silent, // who has it, or who answered the run, the fact before it says
  PageClosed: (fact) => line(fact.incident, `page closed: ${fact.why}`, { page: fact.page }),
  SilenceChanged: silent,
  PolicyAdopted: silent,
  InstallationAdopted: silent,
  FreezeChanged: silent,
  RuleLearned: silent,
  WakeRequested: silent,
  WakeSpent: silent,
  DeskSwept: silent,
  DeskSetBack: silent,
};

/** What a person should know who resolved an incident over alerts that fire. */
function overWhatFires({ firing, forced, by }: { readonly firing?: number; readonly forced?: true; readonly by: string }): string {
  if (firing === undefined || by !== 'human') return '';
  const still = firing === 1 ? '1 alert still fires' : `${firing} alerts still fire`;
  return forced === true ? `; ${still}, and it stays resolved unless it gets worse` : `; ${still}: it reopens if that lasts`;
}

function mutedText({ reason, sourceMute }: AlertMuted): string {
  const over = sourceMute === null ? 'the time for which its source held it back is over' : '';
  if (reason === null) return over === '' ? 'no longer muted' : `no longer muted: ${over}`;
  return `${over === '' ? '' : `${over}; `}muted: ${describeMute(reason)}`;
}

function flappingText({ flapping, percent, text, steady }: AlertFlapping): string {
  const weighted = `(${percent} % weighted changes)`;
  if (text !== undefined) return `flapping: ${text} ${weighted}`;
  return steady === undefined ? `${flapping ? 'flaps' : 'no longer flaps'} ${weighted}` : `no longer flaps, steady now; it did ${steady}`;
}

function remark(text: string): string {
  return text === '' ? '' : `: ${text}`;
}

function ofAlert({ incident, fingerprint }: { readonly incident: string | null; readonly fingerprint: string }, text: string): Line | null {
  return incident === null ? null : line(incident, text, { fingerprint });
}

function joinedLine(fact: AlertJoined): Line | null {
  if (!fact.listed) return null;
  const { fingerprint, members, evidence } = fact;
  return line(fact.incident, `${fact.source}: ${fact.summary} (${joinedBy(evidence)})`, {
    fingerprint,
    members,
    evidence: { ...evidence },
  });
}

function requestedLine(fact: StepRequested): Line {
  const again = fact.attempt > 1 && fact.phase !== 'verify' ? `, attempt ${fact.attempt}` : '';
  const { run, call, input } = fact;
  return line(fact.incident, `${fact.phase} ${fact.step}: ${fact.uses}${again}`, { run, call, input });
}

function line(incident: string, text: string, detail: Line['detail']): Line {
  return { incident, text, detail };
}

function mergedLine(fact: AlertMerged): Line | null {
  const { alert, change } = fact;
  if (alert === null || alert.incident === null) return null;
  const { fingerprint } = alert;
  switch (change) {
    case 'cleared':
      return line(alert.incident, `${alert.source}: cleared: ${alert.summary}${fact.note === null ? '' : ` (${fact.note})`}`, {
        fingerprint,
      });
    case 'reopened':
      return line(alert.incident, `${alert.source}: fires again: ${alert.summary}${remark(fact.note ?? '')}`, { fingerprint });
    case 'severity':
      return line(alert.incident, `${alert.source}: now ${alert.severity}: ${alert.summary}`, { fingerprint });
    case 'acknowledged':
    case 'unacknowledged':
    case 'noted':
      return line(alert.incident, `${alert.source}: ${change}${fact.note === null ? '' : `: ${fact.note}`}`, { fingerprint });
    // The joining says it, or nothing that people look for has happened.
    case 'opened':
    case 'repeated':
    case 'late':
      return null;
  }
}

function joinedBy(evidence: Evidence): string {
  if (evidence.kind === 'first') return 'first of the incident';
  return `joined by ${evidence.shared}, ${evidence.lagSeconds} s apart`;
}

function termsOf(score: Score): Json {
  return score.terms.map((term) => ({ ...term }));
}

function answerOf(outcome: NotifyOutcome): string {
  return `${outcome.outcome}${outcome.detail === '' ? '' : ` (${outcome.detail})`}`;
}

function resultOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'ok'
    ? 'ok'
    : outcome.outcome === 'failed'
      ? `failed (${outcome.error}: ${outcome.detail})`
      : `unknown (${outcome.detail})`;
}

/** The last lines of an output as text for people; they are shown, never read as anything else. */
function outputOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'unknown' ? '' : lastLines(outputText(outcome.output), outputShown).join('\n');
}
