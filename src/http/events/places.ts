// Where a stream stands in the facts of every partition, and how an event's id says it: `0:13,1:5`.
//   E1  An id says where to go on, for every partition: resuming there neither skips nor repeats an event.
import { GatewayError } from '../../core/errors.ts';

export interface Place {
  /** Offset of the fact that comes next. */
  readonly next: number;
  /** Events of that fact that were given already: `0:13.2` for two. */
  readonly told: number;
}

/** By partition. */
export type Places = readonly Place[];

export function placeAt(next: number): Place {
  return { next, told: 0 };
}

export function idOf(places: Places): string {
  return places.map(({ next, told }, partition) => `${partition}:${next}${told === 0 ? '' : `.${told}`}`).join(',');
}

/** The places of an id, which names every partition exactly once, in any order; `invalid_request` for all else. */
export function placesIn(id: string, partitions: number): Places {
  const places = new Map<number, Place>();
  const parts = id.length > 32 * partitions ? [] : id.split(',');
  for (const part of parts) {
    const match = /^(\d{1,6}):(\d{1,15})(?:\.(\d{1,3}))?$/.exec(part);
    if (match !== null && Number(match[1]) < partitions)
      places.set(Number(match[1]), { next: Number(match[2]), told: Number(match[3] ?? 0) });
  }
  if (places.size !== partitions || parts.length !== partitions) {
    throw new GatewayError('invalid_request', 'Last-Event-ID must be an id of this stream: `0:13,1:5`');
  }
  return Array.from({ length: partitions }, (_, partition) => places.get(partition) ?? placeAt(0));
}
