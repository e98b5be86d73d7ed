// A message to people as data, free of vendor words, and what became of sending it.
import type { Instant, Millis } from '../time.ts';

export type NotifyKind = 'page' | 'repeat' | 'resolve' | 'approval';

/** A message to people, free of vendor words; sizes bounded by core. */
export interface Notification {
  /** Same over all attempts; the vendor's dedup or idempotency key is derived from `dedupKey`. */
  readonly id: string;
  readonly kind: NotifyKind;
  /** `quench:<incident>`; stable over the incident's life. */
  readonly dedupKey: string;
  readonly incident: string;
  readonly page: string;
  readonly title: string;
  readonly severity: 'info' | 'warning' | 'error' | 'critical';
  /** Plain text, several lines: why a person is needed, what was tried, what it saw. */
  readonly text: string;
  readonly source: string;
  readonly at: Instant;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly links: readonly { readonly text: string; readonly href: string }[];
}

export type NotifyOutcome =
  /** The vendor took it. Says nothing about a person having seen it. */
  | { readonly outcome: 'accepted'; readonly detail: string }
  /** Try again, not before `retryAfterMs`. */
  | { readonly outcome: 'deferred'; readonly retryAfterMs: Millis; readonly detail: string }
  /** It will not get better by waiting: use another way now. */
  | { readonly outcome: 'refused'; readonly detail: string }
  /** Written, no answer: it may have arrived. */
  | { readonly outcome: 'unknown'; readonly detail: string };
