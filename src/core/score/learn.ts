// What an ended incident teaches about the rules in it.
//   B3  Only evidence moves a score: a person resolved it, a playbook proved that it healed it, or it passed while nobody had been told,
//       nothing had acted and nothing was muted. Whatever else happened, nobody knows whether a person was needed: that is counted apart.
import { emit, type TurnContext } from '../context.ts';
import type { ResolvedBy } from '../incident/facts.ts';
import type { Incident } from '../incident/row.ts';
import { runOf } from '../run/row.ts';

const rulesMax = 10_000;

const rulesPerIncident = 20;

type Lesson = 'acted' | 'passed' | 'unknown';

/** A storm says nothing about the rules in it: a thousand alerts of one cause are one experience, and not one about each rule. */
export function learn(ctx: TurnContext, incident: Incident, by: ResolvedBy): void {
  const lesson = lessonOf(ctx, incident, by);
  const { rules: known } = ctx.desk.tables;
  const rules = new Set<string>();
  for (const fingerprint of incident.listed) {
    const name = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert.name;
    if (name !== undefined && rules.size < rulesPerIncident) rules.add(name);
  }
  for (const rule of rules) {
    const counts = known.rows.get(rule);
    if (counts === undefined && known.rows.size >= rulesMax) continue;
    const before = counts ?? { acted: 0, passed: 0, unknown: 0 };
    const plus = (kind: Lesson): number => before[kind] + (lesson === kind ? 1 : 0);
    const unknown = plus('unknown');
    emit(ctx, { type: 'RuleLearned', rule, acted: plus('acted'), passed: plus('passed'), ...(unknown > 0 ? { unknown } : {}) });
  }
}

/** B3 */
function lessonOf(ctx: TurnContext, incident: Incident, by: ResolvedBy): Lesson {
  if (by === 'human' || by === 'playbook') return 'acted';
  if (by === 'timeout') return 'unknown'; // nobody said that it passed: its source fell silent
  const told = incident.page !== null || incident.state === 'acknowledged';
  const touched = incident.runs.some((id) => {
    const run = runOf(ctx, id);
    return run?.acted === true && run.life === incident.life;
  });
  return told || touched || wasMuted(ctx, incident) ? 'unknown' : 'passed';
}

function wasMuted(ctx: TurnContext, incident: Incident): boolean {
  const { alerts } = ctx.desk.tables;
  return incident.hushed === true || incident.listed.some((fingerprint) => (alerts.rows.get(fingerprint)?.muted ?? null) !== null);
}
