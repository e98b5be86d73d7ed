// What the gateway and its thread for large deliveries say to each other: one question, one answer, until the next.
import type { Options } from '../../adapters/kit/kinds.ts';
import type { Mapping } from '../../adapters/kit/mapping.ts';
import type { Delivery, Parsed, ParseFailure } from '../ports/source.ts';

/** What the thread makes the source of an endpoint of. */
export interface ParsedEndpoint {
  readonly name: string;
  readonly source: string;
  readonly options: Options;
  readonly mapping: Mapping;
}

export interface ThreadData {
  readonly endpoints: readonly ParsedEndpoint[];
}

export type ToThread =
  /** A piece of the body; has no answer. */
  | { readonly type: 'text'; readonly text: string }
  /** Of the pieces that came. */
  | { readonly type: 'parse'; readonly endpoint: string; readonly delivery: Omit<Delivery, 'body'> }
  | { readonly type: 'next' };

export type FromThread =
  | ({ readonly type: 'parsed'; readonly alerts: number } & Omit<Parsed, 'events'>)
  | { readonly type: 'failed'; readonly failure: ParseFailure }
  /** The next few parts, the events of each as one text of JSON; none when there are no more. */
  | { readonly type: 'parts'; readonly parts: readonly string[] };
