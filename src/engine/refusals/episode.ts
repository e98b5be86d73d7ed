// When deliveries that an endpoint refuses are a person's matter: they repeat and last. Pure: no clock, no I/O; whom it is told to is watch.ts.
//   F1  Told only what came three times at least and lasted for minutes: a sender that is being set up, or one bad body, calls nobody.
//   F2  Over only when the endpoint took a delivery after the last refusal and refused none for a while: one sender may well have one group
//       of alerts that is refused again and again beside others that are taken. Wrong credentials are over with the first delivery that has
//       the right ones, so whoever knocks without any calls nobody while the true sender is heard.
import { hour, minute, type Instant, type Millis } from '../../core/time.ts';

/** What is wrong with a delivery as a whole: too large, not understood, or without the right credentials. */
export const refusalKinds = ['size', 'form', 'credentials'] as const;

export type RefusalKind = (typeof refusalKinds)[number];

export interface Refusal {
  readonly kind: RefusalKind;
  /** Of the body as the sender announced it; null when it did not, or sent it compressed. */
  readonly bytes: number | null;
  /** Why, in one sentence, as the sender was told. */
  readonly says: string;
}

/** Refusals of one kind at one endpoint, one after the other. */
export interface Episode {
  readonly kind: RefusalKind;
  readonly since: Instant;
  /** Steady clock, as are the others that follow. */
  readonly began: Millis;
  last: Millis;
  count: number;
  /** Of the largest body; null while no sender announced one. */
  bytes: number | null;
  /** Of the newest refusal. */
  says: string;
  /** A delivery was taken since the last refusal; of wrong credentials, since the first. */
  taken: boolean;
  /** When a person was last told; null when nobody was. */
  told: Millis | null;
}

const countMin = 3;
const lastsMs: Readonly<Record<RefusalKind, Millis>> = { size: 5 * minute, form: 10 * minute, credentials: 10 * minute };
/** A sender whose body was refused comes again within minutes; after so long without another refusal they are over. */
export const quietMs: Millis = 10 * minute;
/** Refusals that are further apart are none that repeat. */
const apartMax: Millis = hour;
/** What lasts is said again now and then, so that it does not count as ended, and outlives a gateway that thought it over. */
const againMs: Millis = 5 * minute;

/** The episode with one refusal more; a new one when there was none, or the last was too long ago. */
export function refusedAgain(episode: Episode | undefined, { kind, bytes, says }: Refusal, now: Instant, steady: Millis): Episode {
  if (episode === undefined || (episode.told === null && steady - episode.last > apartMax))
    return { kind, since: now, began: steady, last: steady, count: 1, bytes, says, taken: false, told: null };
  episode.last = steady;
  episode.count += 1;
  episode.bytes = bytes === null ? episode.bytes : Math.max(bytes, episode.bytes ?? 0);
  episode.says = says;
  if (kind !== 'credentials') episode.taken = false; // F2
  return episode;
}

/** Whether a person is to be told now, for the first time or again. */
export function isToBeTold({ kind, count, began, last, told }: Episode): boolean {
  if (told !== null) return last - told >= againMs;
  return count >= countMin && last - began >= lastsMs[kind]; // F1
}

export function isOver({ kind, taken, last, told }: Episode, steady: Millis): boolean {
  if (taken) return kind === 'credentials' || steady - last >= quietMs; // F2
  return told === null && steady - last > apartMax;
}
