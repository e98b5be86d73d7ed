// A page that rings already rings anew for what nobody it called has heard of: something worse, or something critical of another rule.
//   N1  What is worse than what it rang for rings at once, in a ring of its own.
//   N2  Something critical of a rule of which nothing critical was known at the last ring rings at once, too, in its own words; what comes
//       soon after such a ring is told together, at the end of a bounded span.
import { isFiring, type Alert, type AlertRow } from '../alert/row.ts';
import { severityRank } from '../alert/severity.ts';
import { nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import { criticalsKnown } from '../page/climb.ts';
import { ringAgain } from '../page/ring.ts';
import { pageOf, type Page } from '../page/row.ts';
import { second } from '../time.ts';
import { makesStorm } from './adopt.ts';
import { briefOf, criticalsOf, loudest } from './taken.ts';

/** After a page rang anew, the next that would ring it anew waits so long for others. */
const togetherMs = 30 * second;
/** Without an alert that raised the question, more firing alerts than this are not looked through: nothing new came, and a storm has many. */
const askedMax = 100;

/** Rings the incident's page anew when something of it is worse than, or unlike, what it rang for; `arrived` is what raised the question. */
export function ringAnew(ctx: TurnContext, incident: Incident, arrived: string | null): void {
  const page = pageOf(ctx, incident.page);
  if (page?.state !== 'ringing' || page.severity === undefined) return;
  if (severityRank(incident.severity) > severityRank(page.severity)) return ringForRise(ctx, incident, page, page.severity); // N1
  const strangers = strangersIn(ctx, incident, page, arrived);
  const [first] = strangers;
  if (first === undefined) return;
  const waitMs = (page.anewAt ?? 0) + togetherMs - ctx.at;
  if (waitMs > 0)
    return wakeAfter(ctx, waitMs, { kind: 'deliberate', incident: incident.id, asked: nextSeq(ctx), about: first.fingerprint });
  const more = strangers.length > 1 ? ` and ${strangers.length - 1} more` : '';
  ringAgain(ctx, page, { kind: 'joined', reason: `it rings already; now ${briefOf(first)}${more}`, about: first.fingerprint });
}

function ringForRise(ctx: TurnContext, incident: Incident, page: Page, rangFor: NonNullable<Page['severity']>): void {
  const worst = loudest(ctx, incident);
  if (worst === null || severityRank(worst.severity) <= severityRank(rangFor)) return;
  ringAgain(ctx, page, { kind: 'risen', reason: `it rang for ${rangFor}; now ${briefOf(worst)}` });
}

/** Critical alerts of rules that the page has not rung for, one of each rule; of a storm those that it does not consist of (N2). */
function strangersIn(ctx: TurnContext, incident: Incident, page: Page, arrived: string | null): readonly Alert[] {
  const { criticals } = page;
  if (criticals === undefined || criticals.length >= criticalsKnown || incident.severity !== 'critical') return [];
  const found = new Map<string, Alert>();
  const row = arrived === null ? undefined : ctx.desk.tables.alerts.rows.get(arrived);
  if (arrived === null ? incident.firing > askedMax : row === undefined || !isStranger(ctx, row, criticals)) return [];
  // Among a thousand critical members the one that has just come is asked about for itself.
  for (const one of [...criticalsOf(ctx, incident), ...(row === undefined ? [] : [row])]) {
    const { alert } = one;
    if (!found.has(alert.name) && isStranger(ctx, one, criticals) && !(incident.storm && makesStorm(ctx, incident, alert.name)))
      found.set(alert.name, alert);
  }
  return [...found.values()];
}

function isStranger(ctx: TurnContext, row: AlertRow, known: readonly string[]): boolean {
  const { alert } = row;
  if (alert.severity !== 'critical' || !isFiring(alert) || alert.acknowledged || known.includes(alert.name)) return false;
  return muteOf(ctx, row) === null;
}
