// What the facts behind a place come to as server-sent events: changes of documents and lines of timelines, never the facts themselves.
import type { Fact } from '../../core/records.ts';
import type { EventLog, LogRecord } from '../../ports/event-log.ts';
import { patchesOf } from '../../readmodel/patches.ts';
import { sees, type ScopeFilter } from '../../readmodel/query.ts';
import { entryOf } from '../../readmodel/timeline.ts';
import { idOf, placeAt, type Places } from './places.ts';

const readMax = 500;
const batchCharsMax = 262_144;

export interface Frame {
  /** Null: for everybody. */
  readonly scope: string | null;
  readonly text: string;
}

export interface Reading {
  readonly frames: readonly Frame[];
  /** Behind what was read. */
  readonly places: Places;
  /** True when more is known to be there. */
  readonly more: boolean;
}

/** Reads on from the places, a bounded piece; where `until` is given, not beyond it. Facts that retention took meanwhile are told as a gap. */
export async function readOn(log: EventLog, from: Places, until: Places | null): Promise<Reading> {
  let places = from;
  const frames: Frame[] = [];
  let chars = 0;
  let more = false;
  const add = (frame: Frame): void => {
    frames.push(frame);
    chars += frame.text.length;
  };
  for (const partition of from.keys()) {
    if (chars > batchCharsMax) break;
    const { next = 0 } = places[partition] ?? {};
    const records = await log.read('facts', partition, next, readMax);
    const first = records[0]?.offset ?? next;
    if (first > next) add({ scope: null, text: `event: gap\ndata: ${JSON.stringify({ partition, from: next, to: first })}\n\n` });
    for (const record of records) {
      if (until !== null && record.offset >= (until[partition]?.next ?? 0)) break;
      for (const frame of framesOf(record, places, partition)) add(frame);
      places = places.with(partition, placeAt(record.offset + 1));
      if (chars > batchCharsMax) break;
    }
    more ||= records.length === readMax || chars > batchCharsMax;
  }
  return { frames, places, more };
}

/** The events of one fact that were not given before, each with the id of the place behind it. */
function framesOf({ offset, value }: LogRecord, places: Places, partition: number): readonly Frame[] {
  const fact = value as Fact; // written by the host only
  const patches = patchesOf(fact, partition).map((patch) => ['document', patch] as const);
  const line = entryOf(fact);
  const events = line === null ? patches : [...patches, ['line', line] as const];
  const at = places[partition];
  const given = at?.next === offset ? at.told : 0;
  return events.slice(given).map(([event, data], index) => {
    const told = given + index + 1;
    const behind = told === events.length ? placeAt(offset + 1) : { next: offset, told };
    // JSON has no raw line breaks.
    const text = `id: ${idOf(places.with(partition, behind))}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    return { scope: data.scope, text };
  });
}

/** A batch as bytes for callers of the given scopes; made once for all who see the same. */
export type BytesFor = (scopes: ScopeFilter) => Buffer;

export function bytesOf(frames: readonly Frame[]): BytesFor {
  const made = new Map<string, Buffer>();
  return (scopes) => {
    const key = scopes === 'all' ? '' : JSON.stringify(scopes);
    const known = made.get(key);
    if (known !== undefined) return known;
    const seen = scopes === 'all' ? frames : frames.filter(({ scope }) => scope === null || sees(scopes, scope));
    const bytes = Buffer.from(seen.map(({ text }) => text).join(''));
    made.set(key, bytes);
    return bytes;
  };
}
