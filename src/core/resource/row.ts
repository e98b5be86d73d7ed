// A resource as its own desk keeps it: who holds it, who waits for it, and what happened on it as far as any limit looks back.
import { minute, type Instant, type Millis } from '../time.ts';
import type { Want } from './facts.ts';

/** What happened on a resource; enough to answer for cooldown and attempts. */
export interface Past {
  readonly lastEndAt: Instant | null;
  readonly starts: readonly { readonly playbook: string; readonly at: Instant }[];
}

export interface ResourceRow extends Past {
  readonly holder: string | null;
  /** Number of the fact that gave it to the holder: a run may be given it a second time, by a message that came twice. */
  readonly heldSeq: number;
  /** The group through which the holder was granted it. */
  readonly group?: string;
  /** Begun runs, oldest first, the last ones. */
  readonly starts: readonly { readonly run: string; readonly playbook: string; readonly at: Instant; readonly shadow?: true }[];
  /** In the order in which they came. */
  readonly waiting: readonly Want[];
  readonly usedAt: Instant;
  /** The longest span that a limit has looked back over. */
  readonly keepMs: Millis;
}

/** A run counts its hold on its own desk, from when it heard of the grant: what that may come later than the grant itself. */
export const holdMarginMs: Millis = 5 * minute;

/** How long a member counts as ill after it was last said to be. */
export const illMs: Millis = 10 * minute;

/** One that asks again when there is room; `told`: that there is. */
export interface Waiting {
  readonly resource: string;
  readonly want: Want;
  readonly told?: true;
}

/** What a group has let through. Members that say more are absent while there is nothing to say, and of rows of 0.1.0. */
export interface GroupRow {
  /** Resources that a playbook was let act on, oldest first; without a playbook where the group is one's own. */
  readonly admitted: readonly { readonly resource: string; readonly at: Instant; readonly playbook?: string; readonly shadow?: true }[];
  /** The longest window that was asked for. */
  readonly keepMs: Millis;
  /** Runs at work; at `until` one is over at the latest, whether that was heard or not. */
  readonly running?: readonly { readonly run: string; readonly resource: string; readonly playbook: string; readonly until: Instant }[];
  /** Members that could not be healed, or were not let be acted on, of a group with a floor; the last ones. */
  readonly ill?: readonly { readonly resource: string; readonly at: Instant }[];
  /** Who asks again when there is room, in the order in which they came. */
  readonly waiting?: readonly Waiting[];
  /** Runs that were heard to be over, the last ones: what is said of them twice means nothing. */
  readonly ended?: readonly string[];
}

export const newGroup: GroupRow = { admitted: [], keepMs: 0 };

export const unknownResource: ResourceRow = { holder: null, heldSeq: 0, lastEndAt: null, starts: [], waiting: [], usedAt: 0, keepMs: 0 };
