// Which playbook answers an incident, now or if things stay as they are. With which parameters is plan.ts, whether it may act now guards.ts.
import { isFiring } from '../alert/fold.ts';
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import type { Playbook, Trigger } from '../playbook/document.ts';
import { alertEnvironment, incidentEnvironment } from '../playbook/environment.ts';
import type { Environment } from '../playbook/template.ts';
import type { Instant, Millis } from '../time.ts';

export type Choice =
  | { readonly kind: 'none' }
  /** A playbook will match if things stay as they are for so long. */
  | { readonly kind: 'wait'; readonly playbook: string; readonly waitMs: Millis }
  | { readonly kind: 'match'; readonly playbook: Playbook; readonly environment: Environment; readonly alerts: readonly string[] };

const membersTried = 50;

/** The first playbook, in the policy's order, that was not tried in this life and whose condition holds. */
export function choose(ctx: TurnContext, incident: Incident, arrived: string | null): Choice {
  const view = viewsFor(ctx, incident);
  let wait: Choice = { kind: 'none' };
  for (const playbook of ctx.policy.playbooks) {
    if (playbook.mode === 'off' || incident.tried.includes(playbook.name)) continue;
    for (const trigger of playbook.triggers) {
      const found = matching(ctx, incident, view, trigger, arrived);
      if (found === null) continue;
      const waitMs = found.since + trigger.forMs - ctx.at;
      if (waitMs <= 0)
        return {
          kind: 'match',
          playbook,
          environment: found.environment,
          alerts: matched(ctx, incident, view, trigger, found.fingerprint),
        };
      if (wait.kind !== 'wait' || waitMs < wait.waitMs) wait = { kind: 'wait', playbook: playbook.name, waitMs };
    }
  }
  return wait;
}

/** What conditions see of one alert of the incident, made once however many conditions look at it. */
function viewsFor(ctx: TurnContext, incident: Incident): (alert: Alert) => Environment {
  const incidentView = incidentEnvironment(ctx.desk, incident);
  const made = new Map<string, Environment>();
  return (alert) => {
    const view = made.get(alert.fingerprint) ?? { alert: alertEnvironment(alert), incident: incidentView };
    made.set(alert.fingerprint, view);
    return view;
  };
}

interface Matching {
  readonly fingerprint: string;
  readonly environment: Environment;
  /** Since when the condition can have held: this life of the incident and, of an alert, its start. */
  readonly since: Instant;
}

function matching(
  ctx: TurnContext,
  incident: Incident,
  view: (alert: Alert) => Environment,
  trigger: Trigger,
  arrived: string | null,
): Matching | null {
  const fingerprints = trigger.on === 'incident' ? [incident.root] : arrived === null ? incident.listed.slice(0, membersTried) : [arrived];
  let longest: Matching | null = null;
  for (const fingerprint of fingerprints) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row?.alert.state !== 'firing' || muteOf(ctx, row) !== null) continue;
    const environment = view(row.alert);
    const holds = ctx.expressions.evaluate(trigger.when, environment);
    if (!holds.ok || holds.value !== true) continue;
    const begun = trigger.on === 'alert' ? Math.min(row.alert.startedAt, ctx.at) : 0;
    const since = Math.max(incident.lifeAt, begun);
    if (longest === null || since < longest.since) longest = { fingerprint, environment, since };
    if (longest.since + trigger.forMs <= ctx.at) break;
  }
  return longest;
}

/** Every alert that the trigger matches now, the one it was found by first: what the run is to put out. */
function matched(
  ctx: TurnContext,
  incident: Incident,
  view: (alert: Alert) => Environment,
  trigger: Trigger,
  first: string,
): readonly string[] {
  const others = incident.listed.slice(0, membersTried).filter((fingerprint) => {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (fingerprint === first || row === undefined || !isFiring(row.alert) || muteOf(ctx, row) !== null) return false;
    if (trigger.on === 'incident') return true;
    const holds = ctx.expressions.evaluate(trigger.when, view(row.alert));
    return holds.ok && holds.value === true;
  });
  return [first, ...others];
}
