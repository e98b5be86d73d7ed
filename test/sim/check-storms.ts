// What an alert storm speaks for (S1, S2 in core/decide/adopt.ts): nobody who is needed goes uncalled because a storm is said to call them.
// Under a storm nothing rings by itself, nothing is worse than what the storm rings for, and the storm does call; what it hushed rings
// again once it no longer does.
import { severityRank } from '../../src/core/alert/severity.ts';
import { metaOf, worldOf, type Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';

/** The longest settling and the longest hold-off of simPolicy, and the time in which a storm's parts may end with it. */
const boundMs: Millis = 20 * second + 2 * minute + 15 * second;
const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 3 * second;

export function checkStorms(ledger: Ledger): void {
  const silent = new Map<string, Moment>();
  ledger.watch({
    fact({ fact }) {
      if (fact.type === 'PageAcked' && fact.via === 'storm') ledger.reach('page hushed by a storm');
      if (fact.type === 'IncidentUnnested') ledger.reach('out of a storm');
      if (fact.type === 'IncidentAcknowledged' && fact.storm !== undefined) ledger.reach('taken with a storm');
    },
    settled(now) {
      for (const [name, desk] of ledger.desks) {
        const world = ledger.desks.get(deskName(Number(name.split('/')[0]), everyScope));
        const policy = world === undefined ? null : worldOf(world).policy;
        if (policy !== null && metaOf(desk).seq > 0)
          for (const incident of desk.tables.incidents.rows.values()) ask(`${name} ${incident.id}`, desk, incident, policy, now);
      }
    },
  });

  function ask(name: string, desk: Desk, incident: Incident, policy: Policy, now: Moment): void {
    const why = uncalled(desk, incident, policy);
    const since = silent.get(name);
    if (why === null) return void silent.delete(name);
    if (since === undefined || since.disturbances !== now.disturbances) return void silent.set(name, now);
    const restarts = now.lives - since.lives;
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
    if (now.up - since.up <= boundMs * (1 + (now.back > 0 ? restarts : 0)) + slack) return;
    silent.delete(name);
    ledger.breach(`S2: ${name} has been silent for ${now.up - since.up} ms: ${why}`);
  }
}

/** Why somebody should be called for it, and is not because of a storm; null when somebody is, or need not be. */
function uncalled(desk: Desk, incident: Incident, { paging }: Policy): string | null {
  const { incidents, pages, alerts } = desk.tables;
  if (incident.state !== 'open') return null;
  const page = pages.rows.get(incident.page ?? '');
  const storm = incidents.rows.get(incident.parent ?? '');
  const isOver = storm === undefined || storm.state === 'resolved';
  const loud = incident.listed.flatMap((fingerprint) => {
    const row = alerts.rows.get(fingerprint);
    return row !== undefined && row.alert.state === 'firing' && !row.alert.soft && row.muted === null
      ? [severityRank(row.alert.severity)]
      : [];
  });
  const worst = Math.max(-1, ...loud);
  if (worst < severityRank(paging.severity)) return null;
  if (isOver) return page?.state === 'acked' && page.storm !== undefined ? `storm ${page.storm} speaks for it no longer` : null;
  if (page?.state === 'ringing') return `it is under ${storm.id} and rings beside it`;
  if (worst > severityRank(storm.severity)) return `it is worse than ${storm.id}, which is ${storm.severity}`;
  if (storm.state === 'acknowledged') return null;
  const speaker = pages.rows.get(storm.page ?? '');
  return speaker?.state === 'ringing' || speaker?.state === 'acked' ? null : `${storm.id} calls nobody: ${storm.decision}, ${storm.reason}`;
}
