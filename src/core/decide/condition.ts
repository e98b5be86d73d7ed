// Whether the condition of a trigger holds for an alert of an incident, and what it sees of both.
// Asks nothing else: whether the alert is muted, or for how long the condition must hold, is choose.ts and held.ts.
import { isFiring } from '../alert/fold.ts';
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import type { Trigger } from '../playbook/document.ts';
import { alertEnvironment, incidentEnvironment } from '../playbook/environment.ts';
import type { Environment } from '../playbook/template.ts';

/** How many members of an incident are asked about, the earliest joined first. */
export const membersTried = 50;

export type Views = (alert: Alert) => Environment;

/** What conditions see of one alert of the incident, made once however many conditions look at it. */
export function viewsFor(ctx: TurnContext, incident: Incident): Views {
  const incidentView = incidentEnvironment(ctx.desk, incident);
  const made = new Map<string, Environment>();
  return (alert) => {
    const view = made.get(alert.fingerprint) ?? { alert: alertEnvironment(alert), incident: incidentView };
    made.set(alert.fingerprint, view);
    return view;
  };
}

/** What the trigger's condition sees of a firing alert for which it holds, else null. */
export function holding(ctx: TurnContext, view: Views, trigger: Trigger, fingerprint: string): Environment | null {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (row === undefined || !isFiring(row.alert)) return null;
  const environment = view(row.alert);
  const holds = ctx.expressions.evaluate(trigger.when, environment);
  return holds.ok && holds.value === true ? environment : null;
}
