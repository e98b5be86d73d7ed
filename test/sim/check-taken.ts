// Who has an incident has what they were told of, and no more.
//   K7 (core/decide/people.ts): a page that somebody answered, by a yes or a no, too, has somebody; else it rings soon.
//   K8 (core/decide/taken.ts): something critical of a rule of which nothing called anybody when the incident was taken calls somebody soon, also
//   when it was muted then.
import type { IncidentAcknowledged } from '../../src/core/incident/facts.ts';
import { metaOf, worldOf, type Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import type { AlertRow } from '../../src/core/alert/row.ts';
import { severityRank } from '../../src/core/alert/severity.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';
import { loud } from './loud.ts';

/** The longest settling and the longest hold-off of simPolicy, in which a playbook may try first. */
const boundMs: Millis = 20 * second + 2 * minute + 15 * second;
const slackMs: Millis = 30 * second;
const perTroubleMs: Millis = 3 * second;

export function checkTaken(ledger: Ledger): void {
  /** Rules of which something called somebody, or was acknowledged by its source, when an incident was taken; by desk and incident. */
  const told = new Map<string, ReadonlySet<string>>();
  const silent = new Map<string, Moment>();
  ledger.watch({
    fact({ fact, partition }, desk) {
      if (fact.type === 'IncidentAcknowledged') told.set(`${deskName(partition, fact.scope)} ${fact.incident}`, rulesOf(desk, fact));
    },
    settled(now) {
      for (const [name, desk] of ledger.desks) {
        const world = ledger.desks.get(deskName(Number(name.split('/')[0]), everyScope));
        const policy = world === undefined ? null : worldOf(world).policy;
        if (policy === null || metaOf(desk).seq === 0) continue;
        for (const incident of desk.tables.incidents.rows.values()) {
          const key = `${name} ${incident.id}`;
          lasts(`K7: ${key}`, nobodys(desk, incident, policy), now);
          lasts(`K8: ${key} ${incident.taken?.at ?? ''}`, unheard(desk, incident, told.get(key)), now);
        }
      }
    },
  });

  /** A promise is broken when the reason has stood for so long. */
  function lasts(name: string, why: string | null, now: Moment): void {
    const since = silent.get(name);
    if (why === null) return void silent.delete(name);
    if (since === undefined || since.disturbances !== now.disturbances) return void silent.set(name, now);
    const restarts = now.lives - since.lives;
    const span = boundMs * (1 + (now.back > 0 ? restarts : 0)) + slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
    if (now.up - since.up <= span) return;
    silent.delete(name);
    ledger.breach(`${name} has called nobody for ${now.up - since.up} ms: ${why}`);
  }
}

function rulesOf(desk: Desk, { incident: id, via }: IncidentAcknowledged): ReadonlySet<string> {
  const incident = desk.tables.incidents.rows.get(id);
  const rows = incident === undefined ? [] : callingIn(desk, incident);
  return new Set(rows.filter(({ alert }) => via !== 'source' || alert.acknowledged).map(({ alert }) => alert.name));
}

function callingIn(desk: Desk, incident: Incident): readonly AlertRow[] {
  return loud(desk, incident).filter(({ alert }) => !alert.soft);
}

/** Its page is answered, and nobody has it; null when that is not so, or nothing of it is worth a page. */
function nobodys(desk: Desk, incident: Incident, { paging }: Policy): string | null {
  const page = desk.tables.pages.rows.get(incident.page ?? '');
  if (incident.state !== 'open' || page?.state !== 'acked' || page.storm !== undefined || incident.parent !== null) return null;
  const calls = callingIn(desk, incident).some(({ alert }) => severityRank(alert.severity) >= severityRank(paging.severity));
  return calls ? `${page.ackedBy ?? 'somebody'} answered page ${page.id}, and nobody has it` : null;
}

/** Something critical of it that whoever has it was not told of; null when there is nothing such. */
function unheard(desk: Desk, incident: Incident, known: ReadonlySet<string> | undefined): string | null {
  const { state, taken, storm, parent } = incident;
  if (state !== 'acknowledged' || taken === undefined || known === undefined || storm || parent !== null) return null;
  if (desk.tables.pages.rows.get(incident.page ?? '')?.state === 'ringing') return null;
  const stranger = callingIn(desk, incident).find(
    ({ alert }) => alert.severity === 'critical' && !alert.acknowledged && !known.has(alert.name),
  );
  return stranger === undefined ? null : `${taken.by} took it and was not told of ${stranger.alert.name}`;
}
