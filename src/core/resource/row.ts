// A resource as its own desk keeps it: who holds it, who waits for it, and what happened on it as far as any limit looks back.
import type { Instant, Millis } from '../time.ts';
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
  /** Begun runs, oldest first, the last ones. */
  readonly starts: readonly { readonly run: string; readonly playbook: string; readonly at: Instant }[];
  /** In the order in which they came. */
  readonly waiting: readonly Want[];
  readonly usedAt: Instant;
  /** The longest span that a limit has looked back over. */
  readonly keepMs: Millis;
}

/** Resources that a playbook was let act on, oldest first. */
export interface GroupRow {
  readonly admitted: readonly { readonly resource: string; readonly at: Instant }[];
  /** The longest window that was asked for. */
  readonly keepMs: Millis;
}

export const unknownResource: ResourceRow = { holder: null, heldSeq: 0, lastEndAt: null, starts: [], waiting: [], usedAt: 0, keepMs: 0 };
