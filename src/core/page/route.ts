// Which ladder a page climbs, as of now: the policy in force decides each time, so that an edited ladder is used from the next ring on.
import type { TurnContext } from '../context.ts';
import { incidentOf, type Incident } from '../incident/row.ts';
import { alertEnvironment, incidentEnvironment } from '../playbook/environment.ts';
import type { Ladder } from './ladder.ts';
import type { Page } from './row.ts';

/** The ladder that is wanted, if there is one of that name; else that of the first route that fits. Null: no ladder is configured. */
export function ladderFor(ctx: TurnContext, incident: Incident, wanted: string | null): Ladder | null {
  const { policy, expressions } = ctx;
  if (wanted !== null && named(ctx, wanted) !== null) return named(ctx, wanted);
  const root = ctx.desk.tables.alerts.rows.get(incident.root)?.alert;
  const environment = { incident: incidentEnvironment(ctx.desk, incident), alert: root === undefined ? {} : alertEnvironment(root) };
  for (const route of policy.routes) {
    if (route.when === null) return named(ctx, route.ladder);
    const holds = expressions.evaluate(route.when, environment);
    if (holds.ok && holds.value === true) return named(ctx, route.ladder);
  }
  return named(ctx, 'default') ?? Object.values(policy.ladders)[0] ?? null;
}

/** The page's ladder as the policy in force has it; one whose name is gone falls to the routes, and without any ladder it stays what it was. */
export function ladderNow(ctx: TurnContext, page: Page): Ladder {
  const incident = incidentOf(ctx, page.incident);
  return named(ctx, page.ladder.name) ?? (incident === undefined ? null : ladderFor(ctx, incident, null)) ?? page.ladder;
}

function named({ policy }: TurnContext, name: string): Ladder | null {
  return Object.hasOwn(policy.ladders, name) ? (policy.ladders[name] ?? null) : null;
}
