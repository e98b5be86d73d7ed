// Which playbooks answer an incident, now or if things stay as they are. With which parameters is plan.ts, whether one may act now
// guards.ts, and what is done with the answer remedy.ts.
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import type { Playbook, Trigger } from '../playbook/document.ts';
import type { Environment } from '../playbook/template.ts';
import type { Instant, Millis } from '../time.ts';
import { holding, membersTried, viewsFor, type Views } from './condition.ts';
import { waitOf } from './held.ts';
import { questionsFor } from './triggers.ts';

/** A playbook whose condition holds for an alert of the incident. */
export interface Candidate {
  readonly playbook: Playbook;
  readonly trigger: Trigger;
  readonly fingerprint: string;
  readonly environment: Environment;
  /** How long the condition must go on holding; 0 or less: it may act now. */
  readonly waitMs: Millis;
  /** Since when the alert has been somebody's matter in this life. */
  readonly since: Instant;
}

/** Every playbook with every alert it answers: playbooks in the policy's order, alerts in joining order; `arrived` limits them to one. */
export function* candidates(ctx: TurnContext, incident: Incident, arrived: string | null): Iterable<Candidate> {
  const view = viewsFor(ctx, incident);
  for (const { playbook, trigger, index, fingerprint } of questionsFor(ctx, incident, () => view, { arrived, held: false })) {
    if (incident.tried.includes(playbook.name)) continue; // 0.1.0 tried a playbook once for all targets
    const environment = matching(ctx, view, trigger, fingerprint);
    const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (environment === null || alert === undefined) continue;
    const since = Math.max(incident.lifeAt, trigger.on === 'alert' ? Math.min(alert.startedAt, ctx.at) : 0);
    yield { playbook, trigger, fingerprint, environment, waitMs: waitOf(ctx, incident, playbook, index, fingerprint), since };
  }
}

/** The other alerts that the candidate's trigger matches now, with what its parameters may be filled from; the candidate's own comes first. */
export function matchedWith(
  ctx: TurnContext,
  incident: Incident,
  found: Candidate,
): readonly Pick<Candidate, 'fingerprint' | 'environment'>[] {
  const { trigger, fingerprint: first } = found;
  const view = viewsFor(ctx, incident);
  const others = incident.listed.slice(0, membersTried).flatMap((fingerprint) => {
    if (fingerprint === first) return [];
    const environment = matching(ctx, view, trigger.on === 'incident' ? { ...trigger, when: 'true' } : trigger, fingerprint);
    return environment === null ? [] : [{ fingerprint, environment: trigger.on === 'incident' ? found.environment : environment }];
  });
  return [found, ...others];
}

/** A condition answers for an alert that fires, that somebody is to hear of, that nobody has in its source, and for which it holds. */
function matching(ctx: TurnContext, view: Views, trigger: Trigger, fingerprint: string): Environment | null {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  return row === undefined || row.alert.acknowledged || muteOf(ctx, row) !== null ? null : holding(ctx, view, trigger, fingerprint);
}
