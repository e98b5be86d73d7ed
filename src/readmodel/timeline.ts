// One fact, one line for people: the words of an incident's timeline. Facts that would only be noise there have none.
import type { Json } from '../core/json.ts';
import { describeMute } from '../core/mute/mute.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { Fact } from '../core/records.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { Score } from '../core/score/score.ts';
import { spanOf, type Instant } from '../core/time.ts';

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
  const told = lineOf(fact);
  return told === null ? null : { ...told, scope: fact.scope, seq: fact.seq, at: fact.at, type: fact.type };
}

const outputCharsMax = 2_000;

export function lineOf(fact: Fact): Line | null {
  switch (fact.type) {
    case 'IncidentOpened':
      return line(fact.incident, `opened: ${fact.title}`, { severity: fact.severity, storm: fact.storm });
    case 'AlertJoined':
      if (!fact.listed) return null;
      return line(fact.incident, `${fact.source}: ${fact.summary} (${joinedBy(fact.evidence)})`, {
        fingerprint: fact.fingerprint,
        members: fact.members,
        evidence: { ...fact.evidence },
      });
    case 'AlertMerged':
      return mergedLine(fact);
    case 'AlertMuted':
      if (fact.incident === null) return null;
      return line(fact.incident, fact.reason === null ? 'no longer muted' : `muted: ${describeMute(fact.reason)}`, {
        fingerprint: fact.fingerprint,
      });
    case 'AlertFlapping':
      if (fact.incident === null) return null;
      return line(fact.incident, `${fact.flapping ? 'flaps' : 'no longer flaps'} (${fact.percent} % weighted changes)`, {
        fingerprint: fact.fingerprint,
      });
    case 'IncidentChanged':
      return line(fact.incident, `now ${fact.severity}, score ${fact.score.value}: ${fact.title}`, {
        root: fact.root,
        terms: termsOf(fact.score),
      });
    case 'IncidentNested':
      return line(fact.incident, `belongs to ${fact.parent}`, { parent: fact.parent });
    case 'IncidentDecided':
      return line(fact.incident, `decision: ${fact.decision}: ${fact.reason}`, { decision: fact.decision });
    case 'IncidentAcknowledged':
      return line(fact.incident, `acknowledged by ${fact.by} (${fact.via})`, {});
    case 'IncidentResolved':
      return line(
        fact.incident,
        `resolved by ${fact.by}${fact.who === '' ? '' : ` (${fact.who})`}${fact.note === '' ? '' : `: ${fact.note}`}`,
        { by: fact.by },
      );
    case 'IncidentReopened':
      return line(fact.incident, `reopened: ${fact.by}`, {});
    case 'IncidentNoted':
      return line(fact.incident, `${fact.by}: ${fact.text}`, {});
    case 'PageOpened':
      return line(fact.incident, `paging by ladder ${fact.ladder.name}: ${fact.reason}`, { page: fact.page });
    case 'PageRang':
      return line(fact.incident, `rung ${fact.rung + 1}${fact.round === 0 ? '' : `, round ${fact.round + 1}`} rings`, { page: fact.page });
    case 'NotifyFinished':
      return line(fact.incident, `${fact.notifier}: ${answerOf(fact.outcome)}${fact.retry ? ', will try again' : ''}`, { page: fact.page });
    case 'PageAcked':
      return line(fact.incident, `page acknowledged by ${fact.by} (${fact.via})`, { page: fact.page });
    case 'PageClosed':
      return line(fact.incident, `page closed: ${fact.why}`, { page: fact.page });
    default:
      return runLine(fact);
  }
}

function runLine(fact: Fact): Line | null {
  switch (fact.type) {
    case 'RunStarted':
      return line(fact.incident, `playbook ${fact.playbook.name} ${fact.playbook.version} starts on ${fact.target} (${fact.mode})`, {
        run: fact.run,
        params: fact.params,
      });
    case 'RunRefused':
      return line(fact.incident, `playbook ${fact.playbook} refused by guard ${fact.guard}: ${fact.reason}`, {
        run: fact.run,
        guard: fact.guard,
      });
    case 'ApprovalRequested':
      return line(fact.incident, `run ${fact.run} waits for approval`, { run: fact.run, until: fact.until });
    case 'ApprovalGiven':
      return line(
        fact.incident,
        `run ${fact.run} ${fact.approved ? 'approved' : 'denied'} by ${fact.by}${fact.note === '' ? '' : `: ${fact.note}`}`,
        { run: fact.run },
      );
    case 'StepRequested':
      return line(
        fact.incident,
        `${fact.phase} ${fact.step}: ${fact.uses}${fact.attempt > 1 && fact.phase !== 'verify' ? `, attempt ${fact.attempt}` : ''}`,
        { run: fact.run, call: fact.call, input: fact.input },
      );
    case 'StepFinished':
      return line(fact.incident, `${fact.phase} ${fact.step}: ${resultOf(fact.outcome)} after ${spanOf(fact.tookMs)}`, {
        run: fact.run,
        call: fact.call,
        output: outputOf(fact.outcome),
      });
    case 'RunMoved':
      return line(fact.incident, fact.why, { run: fact.run, phase: fact.phase });
    case 'RunFinished':
      return line(fact.incident, `run ended ${fact.end}: ${fact.reason}`, { run: fact.run, end: fact.end });
    default:
      return null;
  }
}

function line(incident: string, text: string, detail: Line['detail']): Line {
  return { incident, text, detail };
}

function mergedLine(fact: Extract<Fact, { type: 'AlertMerged' }>): Line | null {
  const { alert, change } = fact;
  if (alert === null || alert.incident === null) return null;
  const { fingerprint } = alert;
  switch (change) {
    case 'cleared':
      return line(alert.incident, `${alert.source}: cleared: ${alert.summary}${fact.note === null ? '' : ` (${fact.note})`}`, {
        fingerprint,
      });
    case 'reopened':
      return line(alert.incident, `${alert.source}: fires again: ${alert.summary}`, { fingerprint });
    case 'severity':
      return line(alert.incident, `${alert.source}: now ${alert.severity}: ${alert.summary}`, { fingerprint });
    case 'acknowledged':
    case 'noted':
      return line(alert.incident, `${alert.source}: ${change}${fact.note === null ? '' : `: ${fact.note}`}`, { fingerprint });
    default:
      return null;
  }
}

function joinedBy(evidence: Extract<Fact, { type: 'AlertJoined' }>['evidence']): string {
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

/** Output as text for people, cut; it is shown, never read as anything else. */
function outputOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'unknown' ? '' : JSON.stringify(outcome.output).slice(0, outputCharsMax);
}
