// An alert storm: so many new alerts of one scope within a span that they become one incident.
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import { metaOf } from '../desk.ts';
import { incidentOf, lagOf } from '../incident/row.ts';
import type { Found } from './found.ts';

/** Number of the bucket, half a storm window, that this instant lies in. */
export function bucketOf(ctx: TurnContext): number {
  return Math.floor(ctx.at / Math.max(1, ctx.policy.storm.withinMs / 2));
}

/** The storm that rages or begins with this alert, or null; it ends when the last two buckets hold fewer than half of what starts one. */
export function findStorm(ctx: TurnContext, alert: Alert): Found | null {
  const meta = metaOf(ctx.desk);
  const { storm } = ctx.policy;
  const recent = meta.bucketCount + (meta.bucket === bucketOf(ctx) ? meta.previousBucketCount : 0);
  const running = incidentOf(ctx, meta.storm);
  const on = running !== undefined && running.state !== 'resolved' && recent * 2 >= storm.alerts;
  if (on) {
    const lagSeconds = Math.round(lagOf(running, alert.startedAt) / 1_000);
    return { kind: 'join', incident: running.id, evidence: { kind: 'storm', shared: `${recent} new alerts`, lagSeconds } };
  }
  if (recent < storm.alerts) return null;
  const title = `alert storm: ${recent} new alerts within ${storm.withinMs / 1_000} s`;
  return { kind: 'storm', title, evidence: { kind: 'storm', shared: `${recent} new alerts`, lagSeconds: 0 } };
}
