// A monitoring system that sends alerts: a delivery in, claims out.
import type { AlertEvent } from '../core/alert/event.ts';
import type { Result } from '../core/errors.ts';
import type { Instant } from '../core/time.ts';

/** What an HTTP delivery looks like to a source. Header names are lower case. */
export interface Delivery {
  readonly headers: { readonly [name: string]: string | undefined };
  /** The body as received, decoded without loss: a byte that is not UTF-8 is the Latin-1 character of its value. */
  readonly body: string;
  /** The path below the endpoint, for vendors that use more than one; or the whole path of a delivery route that the source brings. */
  readonly path: string;
  /** Receipt time; stands in wherever the sender gives no time. */
  readonly receivedAt: Instant;
  /** The source's own adapter wrote it, as an answer to a question: an endpoint's field mapping is not for it. */
  readonly native?: true;
}

/** Why a body was not understood, for the sender, the dead letters and the metric label. */
export interface ParseFailure {
  /** What is wrong, as a fixed word; becomes a metric label. `too_large`: it was understood, and the log does not take it. */
  readonly reason: 'not_json' | 'wrong_shape' | 'empty' | 'unsupported' | 'too_large';
  /** What, where, expected, seen; no secrets: `zabbix: event_value must be 0 or 1, got "7"`. */
  readonly message: string;
}

/** What a delivery says. No events is a fine answer (a test button, a keep-alive). */
export interface Parsed {
  readonly events: readonly AlertEvent[];
  /** Things left out or doubtful, one line each, for the log and the source page. */
  readonly warnings: readonly string[];
  /** Alerts of this delivery that the sender says it left out, and of which group. */
  readonly hidden?: { readonly count: number; readonly group: string };
}

/** A monitoring system's webhook: pure, total, never throws, whatever the bytes. */
export interface Source {
  readonly name: string;
  /** One body holds whole lists of alerts, however many there are: its cap is `limits.lists`. */
  readonly lists?: true;
  parse(delivery: Delivery): Result<Parsed, ParseFailure>;
  /** Body and status of the acceptance when the vendor is particular about it; default 202 and our JSON. */
  readonly answer?: { readonly status: number; readonly body?: string };
}
