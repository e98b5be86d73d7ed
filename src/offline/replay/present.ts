// What is decided now: the recorded inputs turned under today's rules in virtual time (world.ts). B1 is told in compare.ts.
import type { Fact, Input } from '../../core/records.ts';
import { second, type Instant, type Millis } from '../../core/time.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { alertOf, type Recording } from './recording.ts';
import type { Rules } from './replay.ts';
import { createWorld, type World } from './world.ts';

const actionTakesMs: Millis = second;

export interface Present {
  readonly ledger: Ledger;
  /** The input as it can be said here, or null when it is left out. */
  sayable(input: Input, recording: Recording): Input | null;
  say(input: Input): readonly Fact[];
  forward(until: Instant): void;
}

export function createPresent(rules: Rules): Present {
  const ledger = createLedger();
  const homes = new Map<string, string>();
  const ringing = new Set<string>();
  let world: World | null = null;

  function follow(fact: Fact): void {
    ledger.add(fact);
    if (fact.type === 'AlertJoined') homes.set(alertOf(fact), fact.incident);
    if (fact.type === 'PageOpened') ringing.add(fact.incident);
    if (fact.type === 'PageAcked' || fact.type === 'PageClosed') ringing.delete(fact.incident);
  }

  /** B1 */
  function homeOf(scope: string, incident: string, recording: Recording): string | null {
    for (const fingerprint of recording.alertsOf(incident)) {
      const home = homes.get(alertOf({ scope, fingerprint }));
      if (home !== undefined) return home;
    }
    return null;
  }

  return {
    ledger,
    sayable(input, recording) {
      switch (input.type) {
        case 'AlertSeen':
        case 'AlertsHidden':
        case 'SilenceSet':
          return input;
        case 'Unacked':
        case 'Resolved': {
          const incident = homeOf(input.scope, input.incident, recording);
          return incident === null ? null : { ...input, incident };
        }
        case 'Acked': {
          world?.forward(input.at); // what is due by now may ring
          const incident = homeOf(input.scope, input.incident, recording);
          if (incident === null || !ringing.has(incident)) return null;
          const { page: _real, ...rest } = input;
          return { ...rest, incident };
        }
        // What is said of runs, pages and wakes of then means nothing to those of now.
        case 'StepClaimed':
        case 'StepDelayed':
        case 'StepAnswered':
        case 'NotifyClaimed':
        case 'NotifyAnswered':
        case 'Approved':
        case 'Denied':
        case 'ResourceWanted':
        case 'ResourceReturned':
        case 'ResourceTold':
        case 'CommandGiven':
        case 'Woke':
        case 'PolicyPublished':
        case 'InstallationNamed':
        case 'ClockCorrected':
          return null;
        default:
          return input satisfies never;
      }
    },
    say(input) {
      world ??= createWorld(
        { policy: rules.policy, frozen: null, installation: null, expressions: rules.expressions },
        { answer: () => ({ outcome: { outcome: 'ok', output: {} }, takesMs: actionTakesMs }), onFact: follow },
        input.at,
      );
      return world.say(input);
    },
    forward: (until) => world?.forward(until),
  };
}
