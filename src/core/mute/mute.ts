// Why an alert must not call anybody now, or null. Muting stops notifications, never state: a muted alert still resolves.
import { flapPercent } from '../alert/flapping.ts';
import { matchesAll, type Labels } from '../alert/labels.ts';
import type { AlertRow } from '../alert/row.ts';
import { emit, type TurnContext } from '../context.ts';
import type { MuteReason, Silence } from './facts.ts';

/** The strongest reason: the source does not trust it yet, the source holds it back, it flaps, a silence matches. */
export function muteOf(ctx: TurnContext, row: AlertRow): MuteReason | null {
  const { alert } = row;
  if (alert.soft) return { kind: 'soft' };
  if (alert.sourceMute !== null) return { kind: 'source', says: alert.sourceMute };
  if (row.flapping) return { kind: 'flapping', percent: Math.round(flapPercent(row.history)) };
  const silence = silenceOf(ctx, alert.labels);
  return silence === null ? null : { kind: 'silence', silence: silence.id, until: silence.endsAt, comment: silence.comment };
}

/** The matching silence that lasts longest; ties go to the smaller id, so that the order of rows never matters. */
function silenceOf(ctx: TurnContext, labels: Labels): Silence | null {
  let best: Silence | null = null;
  for (const { silence } of ctx.desk.tables.silences.rows.values()) {
    if (ctx.at < silence.startsAt || ctx.at >= silence.endsAt) continue;
    if (!matchesAll(silence.matchers, labels, ctx.expressions.pattern)) continue;
    if (best === null || silence.endsAt > best.endsAt || (silence.endsAt === best.endsAt && silence.id < best.id)) best = silence;
  }
  return best;
}

/** Writes down that the reason changed, if it did, and returns the one that holds. */
export function refreshMute(ctx: TurnContext, fingerprint: string): MuteReason | null {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (row === undefined) return null;
  const reason = row.alert.state === 'firing' ? muteOf(ctx, row) : null;
  if (!same(row.muted, reason)) emit(ctx, { type: 'AlertMuted', fingerprint, incident: row.alert.incident, reason });
  return reason;
}

function same(a: MuteReason | null, b: MuteReason | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'silence' && b.kind === 'silence') return a.silence === b.silence && a.until === b.until;
  if (a.kind === 'source' && b.kind === 'source') return a.says === b.says;
  return a.kind === b.kind;
}

export function describeMute(reason: MuteReason): string {
  switch (reason.kind) {
    case 'soft':
      return 'the source has not confirmed it yet (soft state)';
    case 'source':
      return `the source holds it back: ${reason.says}`;
    case 'flapping':
      return `it flaps (${reason.percent} % weighted state changes)`;
    case 'silence':
      return `silence ${reason.silence}${reason.comment === '' ? '' : `: ${reason.comment}`}`;
  }
}
