// The open responses of the event stream: what each may see, where it stands, and how it is written to.
//   E2  A reader that does not keep up is cut off, never waited for: it resumes by its last id.
//   E3  A stream is given events of the scopes that its caller may see, and of no other.
//   E4  A stream whose caller the tokens in force do not let in as they did is ended, before anything more is written to it.
import type { ServerResponse } from 'node:http';
import type { ScopeFilter } from '../../readmodel/query.ts';
import type { Call } from '../route.ts';
import type { BytesFor } from './frames.ts';
import { idOf, type Places } from './places.ts';

/** Bytes waiting in one response: above the first no catching up, above the second the stream is cut. */
const catchUpBytesMax = 65_536;
const waitingBytesMax = 4_194_304;

export interface Stream {
  readonly scopes: ScopeFilter;
  /** Where it stands while it catches up; null once it follows the tail. */
  places: Places | null;
  isOpen(): boolean;
  /** Whether what it was given has been taken. */
  takesMore(): boolean;
  begin(places: Places): void;
  give(batch: BytesFor): void;
  /** A sign of life; to one that is shown a part only, with the place of the tail, so that it need not resume from far behind. */
  beat(tail: Places | null): void;
  /** Ends it when its caller is not let in any more (E4). */
  ask(): void;
  end(): void;
}

export function streamTo(res: ServerResponse, { scopes, isAdmitted }: Pick<Call, 'scopes' | 'isAdmitted'>): Stream {
  function write(text: string | Buffer): void {
    if (text.length === 0 || res.destroyed || res.writableEnded) return;
    if (!isAdmitted()) res.destroy(); // E4: what waits to be read goes with it
    else if (res.writableLength > waitingBytesMax) res.destroy(); // E2
    else res.write(text);
  }
  const stream: Stream = {
    scopes,
    places: [],
    isOpen: () => res.headersSent,
    takesMore: () => res.writableLength < catchUpBytesMax,
    begin(places) {
      stream.places = places;
      res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      // An event without data is not shown to the page, but its id is kept: a stream that saw nothing can resume, too.
      res.write(`retry: 2000\nid: ${idOf(places)}\n\n`);
    },
    give: (batch) => write(batch(scopes)), // E3
    beat: (tail) => write(tail === null || scopes === 'all' || stream.places !== null ? ':\n\n' : `:\nid: ${idOf(tail)}\n\n`),
    ask() {
      if (!isAdmitted()) res.destroy();
    },
    end: () => void res.end(),
  };
  return stream;
}
