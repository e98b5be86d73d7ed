// Why an alert must not call anybody now, or null. Muting stops notifications, never state: a muted alert still resolves.
//   S2  Patterns of a turn have a bounded number of steps together. Where they leave open whether a silence matches, what was last written
//       down counts as long as that silence lasts; an alert of which nothing was written down is not muted.
import { flapPercent } from '../alert/flapping.ts';
import { boundedBy, matchesAll } from '../alert/labels.ts';
import type { AlertRow, MuteEnd } from '../alert/row.ts';
import { emit, type TurnContext } from '../context.ts';
import type { MuteReason, Silence } from './facts.ts';
import { silencesFor } from './silences.ts';
import { isMuteOver } from './source.ts';
import { clockOf, dateOf } from '../time.ts';

/** Of all patterns in one turn: what a thousand silences without an equality matcher take for one alert. */
export const matchStepsATurn = 2_000_000;

/** The strongest reason: the source does not trust it yet, the source holds it back, it flaps, a silence matches. */
export function muteOf(ctx: TurnContext, row: AlertRow): MuteReason | null {
  const { alert } = row;
  if (alert.soft) return { kind: 'soft' };
  if (alert.sourceMute !== null && !isMuteOver(alert, ctx.at)) return sourceReason(alert.sourceMute, alert.muteEnd);
  // What is critical is never muted because it comes and goes: it is told once, as flapping (decide/flaps.ts).
  if (row.flapping && alert.severity !== 'critical') return { kind: 'flapping', percent: Math.round(flapPercent(row.history, ctx.at)) };
  const silence = silenceOf(ctx, row);
  return silence === null ? null : { kind: 'silence', silence: silence.id, until: silence.endsAt, comment: silence.comment };
}

function sourceReason(says: string, end: MuteEnd | undefined): MuteReason {
  return { kind: 'source', says, ...(end === undefined ? {} : { until: end.until }) };
}

/** The matching silence that lasts longest; ties go to the smaller id. */
function silenceOf(ctx: TurnContext, { alert, muted }: AlertRow): Silence | null {
  const test = boundedBy(ctx.matching, ctx.expressions);
  ctx.matching.spentBy = null;
  for (const silence of silencesFor(ctx.desk.indexes.silences, alert)) {
    if (isInForce(ctx, silence) && matchesAll(silence.matchers, alert, test)) return silence;
  }
  if (ctx.matching.spentBy === null || muted?.kind !== 'silence') return null;
  const known = ctx.desk.tables.silences.rows.get(muted.silence)?.silence; // S2
  return known !== undefined && isInForce(ctx, known) ? known : null;
}

function isInForce({ at }: TurnContext, { startsAt, endsAt }: Silence): boolean {
  return at >= startsAt && at < endsAt;
}
/** Writes down that the reason changed, if it did, and returns the one that holds. */
export function refreshMute(ctx: TurnContext, fingerprint: string): MuteReason | null {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (row === undefined) return null;
  const reason = row.alert.state === 'firing' ? muteOf(ctx, row) : null;
  const ended = isMuteOver(row.alert, ctx.at) ? { sourceMute: null } : {};
  if (!same(row.muted, reason) || 'sourceMute' in ended)
    emit(ctx, { type: 'AlertMuted', fingerprint, incident: row.alert.incident, reason, ...ended });
  return reason;
}

function same(a: MuteReason | null, b: MuteReason | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'silence' && b.kind === 'silence') return a.silence === b.silence && a.until === b.until;
  if (a.kind === 'source' && b.kind === 'source') return a.says === b.says && a.until === b.until;
  return a.kind === b.kind;
}

export function describeMute(reason: MuteReason): string {
  switch (reason.kind) {
    case 'soft':
      return 'the source has not confirmed it yet (soft state)';
    case 'source':
      return `the source holds it back: ${reason.says}${reason.until === undefined ? '' : ` until ${dateOf(reason.until)} ${clockOf(reason.until)}`}`;
    case 'flapping':
      return `it flaps (${reason.percent} % weighted state changes)`;
    case 'silence':
      return `silence ${reason.silence}${reason.comment === '' ? '' : `: ${reason.comment}`}`;
  }
}
