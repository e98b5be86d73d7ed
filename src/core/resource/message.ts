// How the desk of an incident and the desk of a resource speak: which fact of one becomes which input of the other, and where that is.
// Pure; who carries messages (engine/effects, replay) appends what `messageOf` gives, at least once and in the order of the facts.
//   Q5  A resource is told apart by tenant and name, never by what else makes a scope: two scopes of a tenant ask the same desk.
import { scopeOfId } from '../ids.ts';
import type { Fact, Input } from '../records.ts';
import type { Instant } from '../time.ts';
import type { GroupDecided, ResourceDecided, ResourceFreed, ResourceReleased, ResourceRequested } from './facts.ts';

const nameCharsMax = 120;

/** Facts that are a message to another desk. */
export type MessageFact = ResourceRequested | ResourceReleased | ResourceDecided | GroupDecided | FreedThrough;

/** Freed, and a group has to hear of it. */
type FreedThrough = ResourceFreed & { readonly group: string };

export function isMessage(fact: Fact): fact is MessageFact {
  return (
    (fact.type === 'ResourceFreed' && fact.group !== undefined) ||
    fact.type === 'ResourceRequested' ||
    fact.type === 'ResourceReleased' ||
    fact.type === 'ResourceDecided' ||
    fact.type === 'GroupDecided'
  );
}

/** `tenant/name`: the key of a resource, without `|` and blanks, of bounded length; upper and lower case are one. `scope` is that of an incident. */
export function resourceOf(scope: string, target: string): string {
  const tenant = scope.slice(0, Math.max(0, scope.search(/[;#]|$/)));
  const name = encodeURIComponent(target.trim().toLowerCase().toWellFormed());
  return `${tenant}/${name.length <= nameCharsMax ? name : `${name.slice(0, nameCharsMax)}~${mixed(name, 0x811c9dc5)}${mixed(name, 0x1000193)}`}`;
}

/** The scope of the desk of a resource; that of an incident never holds a colon. */
export function resourceScope(resource: string): string {
  return `resource:${resource}`;
}

/** The scope of the desk of a group of resources. */
function groupScope(group: string): string {
  return `group:${group}`;
}

/** The input that tells the other desk; `at` is the time of whoever carries it. */
export function messageOf(fact: MessageFact, at: Instant): Input {
  switch (fact.type) {
    case 'ResourceRequested':
      return { type: 'ResourceWanted', scope: resourceScope(fact.resource), at, resource: fact.resource, want: fact.want };
    case 'ResourceReleased': {
      const { resource, run, acted, helped } = fact;
      const how = { run, acted, ...(helped === undefined ? {} : { helped }) };
      return { type: 'ResourceReturned', scope: resourceScope(resource), at, resource, ...how };
    }
    case 'ResourceFreed': {
      const { resource, run, acted, helped = false, group } = fact;
      return { type: 'ResourceReturned', scope: groupScope(group), at, resource, run, acted, helped, group };
    }
    case 'ResourceDecided': {
      const { resource, want, answer } = fact;
      if (answer.verdict !== 'granted' || want.through === undefined) return toldOf(fact, at);
      const { group } = want.through;
      return { type: 'ResourceWanted', scope: groupScope(group), at, resource, want, group };
    }
    case 'GroupDecided':
      return toldOf(fact, at);
    default:
      return fact satisfies never;
  }
}

function toldOf({ answer, want: { run, incident }, resource }: ResourceDecided | GroupDecided, at: Instant): Input {
  return { type: 'ResourceTold', scope: scopeOfId(run) ?? '', at, run, incident, resource, answer };
}

/** FNV-1a: names that are cut stay apart; two that did not would only wait for each other. */
function mixed(text: string, seed: number): string {
  let hash = seed;
  for (let place = 0; place < text.length; place += 1) hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  return (hash >>> 0).toString(16);
}
