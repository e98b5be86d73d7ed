// A message to people as data, free of vendor words, and what became of sending it.
import type { Instant, Millis } from '../time.ts';

/**
 * What a message is about: `page` rings first, `repeat` rings on; `risen` rings because it got worse, `joined` because something worse or
 * unrelated came after an acknowledgement, `unacknowledged` because nobody has it any more; `storm` is the first page of an alert storm;
 * `approval` asks for a yes; `acknowledged` and `resolve` tell everybody who was told who has it, or that it is over; `flapping` tells once
 * that an alert comes and goes; `unreached` that a ladder has ended and nobody has it.
 */
export const notifyKinds = [
  'page',
  'repeat',
  'risen',
  'joined',
  'unacknowledged',
  'storm',
  'approval',
  'acknowledged',
  'resolve',
  'flapping',
  'unreached',
] as const;

export type NotifyKind = (typeof notifyKinds)[number];

/** Whether a message of the kind is a ring of the ladder, which calls somebody; the others are only told. */
export const rings: { readonly [kind in NotifyKind]: boolean } = {
  page: true,
  repeat: true,
  risen: true,
  joined: true,
  unacknowledged: true,
  storm: true,
  approval: true,
  acknowledged: false,
  resolve: false,
  flapping: false,
  unreached: false,
};

/** A notification that leaves in another's message. */
export interface Told extends Pick<Notification, 'id' | 'incident' | 'page' | 'title' | 'severity'> {}

/** A message to people, free of vendor words; sizes bounded by core. */
export interface Notification {
  /** Same over all attempts, and unlike that of any other installation; the vendor's dedup key is derived from `dedupKey`. */
  readonly id: string;
  readonly kind: NotifyKind;
  /** `quench:<installation>:<page>`: one for each life of an incident. Pages that 0.1.0 opened keep `quench:<incident>`. */
  readonly dedupKey: string;
  /** Only these recipients of the notifier are still to be told; absent: all of them. */
  readonly only?: readonly string[];
  readonly incident: string;
  readonly page: string;
  readonly title: string;
  readonly severity: 'info' | 'warning' | 'error' | 'critical';
  /** Plain text, several lines: why a person is needed, what was tried, what it saw. */
  readonly text: string;
  readonly source: string;
  readonly at: Instant;
  /** When the trouble began, by the source's clock; absent in what 0.1.0 sent. */
  readonly startedAt?: Instant;
  /**
   * How often the page rang again after an acknowledgement, or for something new, when it did: a vendor that calls nobody for what is open
   * or acknowledged there needs another key for each time.
   */
  readonly era?: number;
  /** Eras before this one in which this notifier may have told somebody: a vendor that keeps one thing for each era ends those, too. */
  readonly formerEras?: readonly number[];
  /** Of a `resolve`: the page ends, and its title says why; what it was about need not be over. */
  readonly pageOnly?: true;
  /** A run that waits for a yes, and until when. */
  readonly asks?: { readonly run: string; readonly until: Instant };
  /** Notifications of other pages that this message tells, too, each with what it is about; absent when it tells of its own page alone. */
  readonly also?: readonly Told[];
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly links: readonly { readonly text: string; readonly href: string }[];
}

export type NotifyOutcome =
  /**
   * The vendor took it. Says nothing about a person having seen it. Of several recipients: `left` are to be tried again, alone; `refused` were
   * not told and will not be.
   */
  | { readonly outcome: 'accepted'; readonly detail: string; readonly left?: readonly string[]; readonly refused?: readonly string[] }
  /** Try again, not before `retryAfterMs`; with `left`, only these. */
  | { readonly outcome: 'deferred'; readonly retryAfterMs: Millis; readonly detail: string; readonly left?: readonly string[] }
  /** It will not get better by waiting: use another way now. */
  | { readonly outcome: 'refused'; readonly detail: string }
  /** Written, no answer: it may have arrived. */
  | { readonly outcome: 'unknown'; readonly detail: string };
