// What is said about the rules on the log: the policy in force, the emergency stop, and commands of people.
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';
import type { Frozen } from './freeze.ts';
import type { Policy } from './policy.ts';

/** `freeze`: no effect starts any more, in any scope, until then or until `thaw` lifts it; `cancel`: end one run; `note`: remark on an incident. */
export type Command =
  | { readonly name: 'freeze'; readonly reason: string; readonly until?: Instant }
  | { readonly name: 'thaw' }
  | { readonly name: 'cancel'; readonly run: string }
  | { readonly name: 'note'; readonly incident: string; readonly text: string };

export interface CommandGiven extends InputBase {
  readonly type: 'CommandGiven';
  readonly command: Command;
  readonly by: string;
}

export interface PolicyPublished extends InputBase {
  readonly type: 'PolicyPublished';
  readonly policy: Policy;
}

/** What the gateway calls its installation: drawn at random by whoever finds none on the log. */
export interface InstallationNamed extends InputBase {
  readonly type: 'InstallationNamed';
  readonly installation: string;
}

/** Scope `*` only, once in the life of a log: every key that leaves carries it. */
export interface InstallationAdopted extends FactBase {
  readonly type: 'InstallationAdopted';
  readonly installation: string;
}

/** Scope `*` only: from here on, decisions follow this policy. */
export interface PolicyAdopted extends FactBase {
  readonly type: 'PolicyAdopted';
  readonly policy: Policy;
}

/** Scope `*` only: while frozen no effect starts; null lifts it. */
export interface FreezeChanged extends FactBase {
  readonly type: 'FreezeChanged';
  readonly frozen: Frozen | null;
}
