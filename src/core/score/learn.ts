// What an ended incident teaches about the rules in it.
import { emit, type TurnContext } from '../context.ts';
import type { ResolvedBy } from '../incident/facts.ts';
import type { Incident } from '../incident/row.ts';

const rulesMax = 10_000;

const rulesPerIncident = 20;

/**
 * Counts for each rule in the incident whether someone or something had to act, or it passed by itself.
 * A storm says nothing about the rules in it: a thousand alerts of one cause are one experience, and not one about each rule.
 */
export function learn(ctx: TurnContext, incident: Incident, by: ResolvedBy): void {
  const acted = by === 'human' || by === 'playbook' || incident.state === 'acknowledged';
  const rules = new Set<string>();
  for (const fingerprint of incident.listed) {
    const name = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert.name;
    if (name !== undefined && rules.size < rulesPerIncident) rules.add(name);
  }
  for (const rule of rules) {
    const counts = ctx.desk.tables.rules.rows.get(rule);
    if (counts === undefined && ctx.desk.tables.rules.rows.size >= rulesMax) continue;
    const before = counts ?? { acted: 0, passed: 0 };
    emit(ctx, { type: 'RuleLearned', rule, acted: before.acted + (acted ? 1 : 0), passed: before.passed + (acted ? 0 : 1) });
  }
}
