// What flapping means for an incident: a critical alert that comes and goes calls somebody once, and the page stays until it is steady.
//   F3  What is critical and flaps is told at once, settled or not: it would never burn long enough to settle.
//   F5  Who was rung is told once that it flaps, unless somebody has it, and every ring says so while it does, and when it is down for good
//       afterwards.
//   F4  While a paged incident flaps it does not resolve: one page for the flapping, none for each change.
import { isFiring } from '../alert/row.ts';
import { flapText } from '../alert/flapping.ts';
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';

/** F4. */
export function isHeldByFlapping({ flapping = 0, page, state }: Incident): boolean {
  return flapping > 0 && page !== null && state !== 'resolved';
}

/** F3: why somebody is called for it, or null. */
export function flapNews(ctx: TurnContext, incident: Incident): string | null {
  if ((incident.flapping ?? 0) === 0) return null;
  for (const fingerprint of incident.listed) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row === undefined || !row.flapping || !isFiring(row.alert) || row.alert.severity !== 'critical') continue;
    if (muteOf(ctx, row) === null) return `flapping: ${flapText(row.history, ctx.at)}`;
  }
  return null;
}

/** `flapping: 9 times in 4 min, down 50 % of the time` of the first member that flaps and that nothing else mutes, firing or not; else null. */
export function flapsNow(ctx: TurnContext, { flapping = 0, listed }: Incident): string | null {
  if (flapping === 0) return null;
  for (const fingerprint of listed) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row?.flapping === true && (muteOf(ctx, row)?.kind ?? 'flapping') === 'flapping')
      return `flapping: ${flapText(row.history, ctx.at)}`;
  }
  return null;
}

/** Why somebody is called, with what is true of flapping now in the place of what was when it was decided (F5). */
export function withFlaps(ctx: TurnContext, incident: Incident, reason: string): string {
  const flaps = flapsNow(ctx, incident);
  const now = flaps === null ? flappedText(ctx, incident) : `${flaps}; `;
  return now === ''
    ? reason
    : (now + reason.replace(/^(?:flapping: [^;]*|was flapping \([^)]*\), now down)(?:; |$)/, '')).replace(/; $/, '');
}

/** `was flapping (9 times in 4 min, down 50 % of the time), now down; ` of the first member of which that is true, else nothing. */
export function flappedText(ctx: TurnContext, { flapping, listed }: Incident): string {
  if (flapping === undefined) return '';
  for (const fingerprint of listed) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row?.flapped !== undefined && isFiring(row.alert)) return `was flapping (${row.flapped}), now down; `;
  }
  return '';
}
