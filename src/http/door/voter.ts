// Who answers a playbook that asks, by the link in a page, and whether their word counts.
//   V1  By a link alone only an approver says yes, whose own link it is, unless the configuration lets everybody who has one.
//   V2  Whoever else says yes shows a token that may operate on the scope of the run; the yes is said in the token's name, whatever the form says.
//   V3  A no needs a name and nothing else: what it does is call a person.
import { allows, type Caller } from '../../access/tokens.ts';
import { fail, ok, type Result } from '../../core/errors.ts';
import { sees } from '../../readmodel/query.ts';
import type { HttpDeps } from '../deps.ts';
import { nameRefused, type Sent } from './html.ts';
import { viaLink, type LinkClaim } from './links.ts';

export type Word = 'yes' | 'no';

/** In whose name, and how it stands in the audit. */
export interface Voter {
  readonly by: string;
  readonly via: string;
  /** The name was given in the form, and may be remembered for the next one. */
  readonly isGiven: boolean;
}

export interface VoterRefusal {
  readonly status: 400 | 403;
  readonly says: string;
  /** A token was tried that is nobody's. */
  readonly isGuess: boolean;
}

/** Whether whoever holds the link may say yes by it alone (V1). */
export function mayAllow({ approvals }: Pick<HttpDeps, 'approvals'>, { person }: Pick<LinkClaim, 'person'>): boolean {
  const { byLink, approvers } = approvals();
  return byLink || (person !== undefined && approvers.includes(person));
}

/** Whose word it is, or why it does not count. */
export function voterOf(
  deps: Pick<HttpDeps, 'approvals'> & { callerOf(token: string): Caller | null },
  claim: LinkClaim,
  sent: Sent,
  word: Word,
): Result<Voter, VoterRefusal> {
  if (word === 'yes' && !mayAllow(deps, claim)) return byToken(deps.callerOf, claim, sent.field('token') ?? '');
  const misnamed = nameRefused(sent.name);
  if (misnamed !== null) return refused(400, misnamed);
  return ok({ by: sent.name, via: viaLink(claim), isGiven: claim.person === undefined });
}

function byToken(callerOf: (token: string) => Caller | null, claim: LinkClaim, token: string): Result<Voter, VoterRefusal> {
  if (token === '') return refused(400, 'A yes needs your token of the API.');
  const caller = callerOf(token);
  if (caller === null) return refused(403, 'That is no token of this gateway.', true);
  if (!allows(caller.role, 'operate')) return refused(403, `The token ${caller.name} may only read: a yes needs the role operate.`);
  if (!sees(caller.scopes, claim.scope)) return refused(403, `The token ${caller.name} is for other scopes.`);
  return ok({ by: caller.name, via: `token at a ${viaLink(claim)}`, isGiven: false });
}

function refused(status: VoterRefusal['status'], says: string, isGuess = false): Result<never, VoterRefusal> {
  return fail({ status, says, isGuess });
}
