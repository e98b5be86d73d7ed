// What the pages behind links and the commands of the API share when they ask the read model: a story in bounded readings, and what came of a
// word in a bounded while.
import type { Millis } from '../../core/time.ts';
import { giveWay } from '../../engine/async/turns.ts';
import type { TimelineEntry } from '../../readmodel/timeline.ts';
import { defaultLimits, type HttpDeps } from '../deps.ts';

const lookEveryMs: Millis = 50;
/** Whoever commands hundreds of things waits for each of them in turn. */
const commandLookEveryMs: Millis = 10;
const commandWaitMs: Millis = 500;
const entriesPerReading = 1_000;
const readingsMax = 5;

/** The lines of an incident, oldest first, at most five thousand of them, in pieces. */
export async function* storyOf(
  { store: { views } }: Pick<HttpDeps, 'store'>,
  { incident, scope }: { readonly incident: string; readonly scope: string },
): AsyncGenerator<readonly TimelineEntry[]> {
  let after = -1;
  for (let readings = 0; readings < readingsMax; readings += 1) {
    const some = await views.timeline({ incident, scopes: [scope], after, limit: entriesPerReading });
    yield some;
    await giveWay();
    const next = some.at(-1)?.seq;
    if (next === undefined || some.length < entriesPerReading) return;
    after = next;
  }
}

/** Looks again and again until there is something, for as long as a page may be waited for; null when there was nothing. */
export function lookUntil<Found>(deps: LookDeps, look: () => Promise<Found | null>): Promise<Found | null> {
  return lookFor(deps, look, { waitMs: pageWaitMs(deps), everyMs: lookEveryMs });
}

/** The same for a command, whose caller is told 202 after half a second: the word is kept, whatever comes of it. */
export function lookBriefly<Found>(deps: LookDeps, look: () => Promise<Found | null>): Promise<Found | null> {
  return lookFor(deps, look, { waitMs: Math.min(commandWaitMs, pageWaitMs(deps)), everyMs: commandLookEveryMs });
}

type LookDeps = Pick<HttpDeps, 'clock' | 'limits'>;

function pageWaitMs({ limits }: LookDeps): Millis {
  return limits?.answerWaitMs ?? defaultLimits.answerWaitMs;
}

async function lookFor<Found>(
  { clock }: LookDeps,
  look: () => Promise<Found | null>,
  { waitMs, everyMs }: { readonly waitMs: Millis; readonly everyMs: Millis },
): Promise<Found | null> {
  const until = clock.steady() + waitMs;
  for (;;) {
    const found = await look();
    if (found !== null || clock.steady() >= until) return found;
    await new Promise<void>((resolve) => void clock.after(everyMs, resolve));
  }
}
