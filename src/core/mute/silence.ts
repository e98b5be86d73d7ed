// A silence begins, ends or is used up: the alerts it may concern are looked at again.
import { emit, wakeAfter, type TurnContext } from '../context.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { Silence, SilenceWake } from './facts.ts';
import { refreshMute } from './mute.ts';
import { isInDoubt } from './suppression.ts';

const mutedAtOnceMax = 5_000;

export const silenceWakes: WakeHandlers<SilenceWake['kind']> = {
  silence(ctx, wake) {
    const row = ctx.desk.tables.silences.rows.get(wake.silence);
    if (row?.silence.endsAt === wake.endsAt) endSilence(ctx, row.silence);
  },
  silenceStart(ctx, wake) {
    if (ctx.desk.tables.silences.rows.get(wake.silence)?.silence.startsAt === wake.startsAt) refreshMutes(ctx);
  },
};

export function setSilence(ctx: TurnContext, silence: Silence): void {
  const known = ctx.desk.tables.silences.rows.has(silence.id);
  if (silence.endsAt <= ctx.at) {
    if (known) endSilence(ctx, silence);
    return;
  }
  emit(ctx, { type: 'SilenceChanged', silence, state: 'active' });
  const { id, startsAt } = silence;
  if (startsAt > ctx.at) wakeAfter(ctx, startsAt - ctx.at, { kind: 'silenceStart', silence: id, startsAt });
  wakeAfter(ctx, silence.endsAt - ctx.at, { kind: 'silence', silence: silence.id, endsAt: silence.endsAt });
  refreshMutes(ctx);
}

function endSilence(ctx: TurnContext, silence: Silence): void {
  emit(ctx, { type: 'SilenceChanged', silence, state: 'expired' });
  refreshMutes(ctx);
}

/** A silence came or went: look at the alerts it may concern, in a fixed order, and at the incidents they are in. */
function refreshMutes(ctx: TurnContext): void {
  let changes = 0;
  for (const fingerprint of [...ctx.desk.tables.alerts.rows.keys()].sort()) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row?.alert.state !== 'firing' || changes >= mutedAtOnceMax) continue;
    const before = row.muted;
    refreshMute(ctx, fingerprint);
    const after = ctx.desk.tables.alerts.rows.get(fingerprint)?.muted ?? null;
    if (before === after) continue;
    changes += 1;
    if (row.alert.incident !== null) ctx.toDeliberate.add(row.alert.incident);
  }
  reviewDoubts(ctx);
}

/** What a run left in doubt and burns no more: a silence may have been all that kept it from calling a person. */
function reviewDoubts(ctx: TurnContext): void {
  const { incidents } = ctx.desk.tables;
  const doubts = incidents.rows.values().filter((incident) => incident.firing === 0 && isInDoubt(incident));
  const ids = doubts.map(({ id }) => id).toArray();
  for (const id of ids.sort().slice(0, mutedAtOnceMax)) ctx.toDeliberate.add(id);
}

/** Silences that were to last until what they muted had cleared. */
export function expireUsedSilences(ctx: TurnContext): void {
  for (const id of [...ctx.desk.tables.silences.rows.keys()].sort()) {
    const row = ctx.desk.tables.silences.rows.get(id);
    if (row?.silence.untilResolved !== true || row.muting > 0 || !row.used) continue;
    emit(ctx, { type: 'SilenceChanged', silence: row.silence, state: 'expired' });
    reviewDoubts(ctx);
  }
}
