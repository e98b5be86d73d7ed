// A silence begins, ends or is used up: the alerts it may concern are looked at again.
//   S3  However many alerts it concerns, all of them are looked at: some in each turn, and a wake goes on where the turn left off.
//   S4  A scope has at most `silencesMax` silences of at most `matchersMax` matchers. The door refuses what is more; what comes all the same
//       (two doors at once) ends in the turn that would begin it.
import { boundedBy, matchesAll } from '../alert/labels.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { textsFrom } from '../ordered.ts';
import type { Instant } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { Silence, SilenceWake } from './facts.ts';
import { refreshMute } from './mute.ts';
import { candidacyOf } from './silences.ts';

export const silencesMax = 1_000;
export const matchersMax = 20;
/** Firing alerts looked at, and muted or unmuted, in one turn. */
const lookedAtOnceMax = 500;
const changedAtOnceMax = 100;
const doubtsAtOnceMax = 5_000;

export const silenceWakes: WakeHandlers<SilenceWake['kind']> = {
  silence(ctx, wake) {
    const row = ctx.desk.tables.silences.rows.get(wake.silence);
    if (row?.silence.endsAt === wake.endsAt) endSilence(ctx, row.silence);
  },
  silenceStart(ctx, wake) {
    if (ctx.desk.tables.silences.rows.get(wake.silence)?.silence.startsAt === wake.startsAt) refreshMutes(ctx, wake.silence);
  },
  silenceReview: (ctx, wake) => reviewFrom(ctx, wake.silence, wake.from),
};

/**
 * `saidAt` is the clock's word: a desk that ran ahead of it may take a silence for over that is not. It is kept for the span it was asked
 * for, and mutes when the desk's time is set right (clock/correct.ts).
 */
export function setSilence(ctx: TurnContext, silence: Silence, saidAt: Instant): void {
  const { rows } = ctx.desk.tables.silences;
  const known = rows.has(silence.id);
  const isAhead = silence.endsAt <= ctx.at && silence.endsAt > saidAt;
  if (silence.endsAt <= ctx.at && !isAhead) {
    if (known) endSilence(ctx, silence);
    return;
  }
  if ((!known && rows.size >= silencesMax) || silence.matchers.length > matchersMax) {
    return emit(ctx, { type: 'SilenceChanged', silence: { ...silence, endsAt: ctx.at }, state: 'expired' }); // S4
  }
  emit(ctx, { type: 'SilenceChanged', silence, state: 'active' });
  const { id, startsAt } = silence;
  if (startsAt > ctx.at) wakeAfter(ctx, startsAt - ctx.at, { kind: 'silenceStart', silence: id, startsAt });
  wakeAfter(ctx, silence.endsAt - (isAhead ? saidAt : ctx.at), { kind: 'silence', silence: silence.id, endsAt: silence.endsAt });
  refreshMutes(ctx, id);
}

function endSilence(ctx: TurnContext, silence: Silence): void {
  emit(ctx, { type: 'SilenceChanged', silence, state: 'expired' });
  refreshMutes(ctx, silence.id);
}

/** A silence came or went: look at the alerts it may concern, in a fixed order, and at the incidents they are in. */
function refreshMutes(ctx: TurnContext, silence: string): void {
  reviewFrom(ctx, silence, '');
  reviewDoubts(ctx);
}

/** S3 */
function reviewFrom(ctx: TurnContext, id: string, from: string): void {
  const { alerts, silences } = ctx.desk.tables;
  const { openAlerts } = ctx.desk.indexes;
  const silence = silences.rows.get(id)?.silence ?? null;
  const mayMatch = silence === null ? () => false : candidacyOf(silence);
  const test = boundedBy(ctx.matching, ctx.expressions);
  const half = ctx.matching.left / 2;
  let looked = 0;
  let changes = 0;
  for (const fingerprint of textsFrom(openAlerts, from)) {
    const row = alerts.rows.get(fingerprint);
    if (row === undefined) continue;
    if (looked >= lookedAtOnceMax || changes >= changedAtOnceMax || ctx.matching.left < half) {
      return wakeAfter(ctx, 0, { kind: 'silenceReview', silence: id, from: fingerprint, asked: nextSeq(ctx) });
    }
    looked += 1;
    const isBy = row.muted?.kind === 'silence' && row.muted.silence === id;
    if (!isBy && (silence === null || !mayMatch(row.alert) || !matchesAll(silence.matchers, row.alert, test))) continue;
    refreshMute(ctx, fingerprint);
    if ((alerts.rows.get(fingerprint)?.muted ?? null) === row.muted) continue;
    changes += 1;
    if (row.alert.incident !== null) ctx.toDeliberate.add(row.alert.incident);
  }
}

/** What a run left in doubt and burns no more: a silence may have been all that kept it from calling a person. */
function reviewDoubts(ctx: TurnContext): void {
  for (const id of [...ctx.desk.indexes.doubts].sort().slice(0, doubtsAtOnceMax)) ctx.toDeliberate.add(id);
}

/** Silences that were to last until what they muted had cleared. */
export function expireUsedSilences(ctx: TurnContext): void {
  const { rows } = ctx.desk.tables.silences;
  for (const id of [...ctx.desk.indexes.spentSilences].sort()) {
    const row = rows.get(id);
    if (row === undefined) continue;
    emit(ctx, { type: 'SilenceChanged', silence: row.silence, state: 'expired' });
    reviewDoubts(ctx);
  }
}
