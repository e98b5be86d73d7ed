// What a source itself holds back, and until when, where it says an end: what is believed of that after its next word.
// Whether an alert is muted is mute.ts; what is done when the end comes, ends.ts.
//   E1  A word about another episode neither mutes this one nor lifts its mute, unless that episode begins with it.
//   E2  A mute whose end has passed is none: nobody has to say so.
import type { AlertEvent } from '../alert/event.ts';
import type { Alert, MuteEnd } from '../alert/row.ts';
import type { Instant } from '../time.ts';

type SourceMute = Pick<Alert, 'sourceMute' | 'muteEnd'>;

const none: SourceMute = { sourceMute: null };

/** What a source does not speak of stays, unless it was about an earlier episode alone. */
export function muteAfter(before: Partial<Alert> | undefined, event: AlertEvent, at: Instant): SourceMute {
  const { sourceMute = null, muteEnd, episode } = before ?? {};
  const isOfAnother = event.muteOf === 'episode' && event.episode !== episode;
  const isSaid = event.sourceMute !== undefined && !(isOfAnother && event.episode !== '' && event.claim !== 'firing'); // E1
  if (isSaid) return told(event, sourceMute === null ? undefined : muteEnd, at);
  if (sourceMute === null || (isOfAnother && event.claim === 'firing')) return none;
  if (muteEnd === undefined) return { sourceMute };
  return muteEnd.until <= at ? none : { sourceMute, muteEnd }; // E2
}

function told({ sourceMute = null, muteUntil: until }: AlertEvent, held: MuteEnd | undefined, at: Instant): SourceMute {
  if (sourceMute === null || until === undefined) return { sourceMute };
  if (until <= at) return none; // E2
  if (held?.until === until) return { sourceMute, muteEnd: held };
  // Whoever waits for the earlier end finds then that it is later.
  const asked = held?.asked !== undefined && held.until < until ? { asked: held.asked } : {};
  return { sourceMute, muteEnd: { until, since: at, ...asked } };
}

/** E2 */
export function isMuteOver({ sourceMute, muteEnd }: Alert, at: Instant): boolean {
  return sourceMute !== null && muteEnd !== undefined && muteEnd.until <= at;
}
