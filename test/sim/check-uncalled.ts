// Nobody who is needed goes uncalled because a page is said to speak already, a storm's or the incident's own.
//   S1, S2 (core/decide/adopt.ts): under a storm nothing rings by itself, nothing is worse than what the storm rings for, and the storm does
//   call; what it hushed rings again once it no longer does.
//   U1, U3 (core/page/bundle.ts): what waits to be told together with others waits no longer than its span, and rings by itself soon after what
//   led the message that told it is over, or taken.
//   K4 (core/decide/overdue.ts): what a person, here or at a source, took before anybody was called for it is nobody's once the span of its ladder is over.
//   N2 (core/decide/anew.ts): whoever is called for something critical hears of what is critical of another rule, too, and soon.
import { severityRank } from '../../src/core/alert/severity.ts';
import { metaOf, worldOf, type Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import { erasTold } from '../../src/core/page/row.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';
import { loud, rankOf } from './loud.ts';

/** The span of a bundle in simPolicy. */
const bundleMs: Millis = 30 * second;
/** What its message told besides rings by itself so long after the end of what led it (core/page/ring.ts). */
const ledMs: Millis = 15 * second;
/** The longest settling and the longest hold-off of simPolicy, and the time in which a storm's parts may end with it. */
const boundMs: Millis = 20 * second + 2 * minute + 15 * second;
/** How long an acknowledgement lasts by the ladder that most incidents of simPolicy have. */
const takenMs: Millis = 8 * minute;
const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 3 * second;

export function checkUncalled(ledger: Ledger): void {
  const silent = new Map<string, Moment>();
  const held = new Map<string, Moment>();
  /** Pages of which nothing at some vendor calls any more, and since when. */
  const left = new Map<string, { readonly since: Moment; readonly desk: string; readonly by: string }>();
  ledger.watch({
    fact({ fact, seen, partition }, desk) {
      if (fact.type === 'PageAcked' || fact.type === 'PageClosed') {
        left.delete(fact.page);
        for (const page of ledBy(desk, fact.page))
          if (!left.has(page)) left.set(page, { since: seen, desk: deskName(partition, fact.scope), by: fact.page });
      }
      if (fact.type === 'PageRang') left.delete(fact.page);
      if (fact.type === 'NotifyHeld') held.set(fact.notification.id, seen);
      if (fact.type === 'NotifyDropped') held.delete(fact.notification);
      if (fact.type === 'NotifyRequested')
        for (const id of [fact.notification.id, ...(fact.with ?? []).map(({ notification }) => notification)]) held.delete(id);
      if (fact.type === 'PageAcked' && fact.via === 'storm') ledger.reach('page hushed by a storm');
      if (fact.type === 'PageRang' && fact.about !== undefined) ledger.reach('rang anew for a stranger');
      if (fact.type === 'IncidentUnnested') ledger.reach('out of a storm');
      if (fact.type === 'IncidentAcknowledged' && fact.storm !== undefined) ledger.reach('taken with a storm');
    },
    settled(now) {
      for (const [id, since] of held) {
        if (isInTime(since, now, bundleMs)) continue;
        held.delete(id);
        ledger.breach(`U1: ${id} has waited for ${now.up - since.up} ms to be told together with others`);
      }
      for (const [id, { since, desk, by }] of left) {
        if (isInTime(since, now, ledMs)) continue;
        left.delete(id);
        const { tables } = ledger.desks.get(desk) ?? {};
        const page = tables?.pages.rows.get(id);
        const isHushed = tables?.incidents.rows.get(page?.incident ?? '')?.decision === 'suppress';
        if (page?.state === 'ringing' && !isHushed)
          ledger.breach(`U3: page ${id} has not rung for ${now.up - since.up} ms since ${by}, which told it, is over`);
      }
      for (const [name, desk] of ledger.desks) {
        const world = ledger.desks.get(deskName(Number(name.split('/')[0]), everyScope));
        const policy = world === undefined ? null : worldOf(world).policy;
        if (policy !== null && metaOf(desk).seq > 0)
          for (const incident of desk.tables.incidents.rows.values()) ask(`${name} ${incident.id}`, desk, incident, policy, now);
      }
    },
  });

  function ask(name: string, desk: Desk, incident: Incident, policy: Policy, now: Moment): void {
    lasts(`S2: ${name}`, uncalled(desk, incident, policy), now, boundMs);
    lasts(`N2: ${name}`, unheard(desk, incident), now, boundMs);
    lasts(`K4: ${name} ${incident.taken?.at ?? ''}`, forgotten(desk, incident, policy), now, takenMs + boundMs);
  }

  /** A promise is broken when the reason has stood for so long. */
  function lasts(name: string, why: string | null, now: Moment, spanMs: Millis): void {
    const since = silent.get(name);
    if (why === null) return void silent.delete(name);
    if (since === undefined || since.disturbances !== now.disturbances) return void silent.set(name, now);
    if (isInTime(since, now, spanMs)) return;
    silent.delete(name);
    ledger.breach(`${name} has been silent for ${now.up - since.up} ms: ${why}`);
  }
}

/** Pages that ring and that messages of this page told, of which the vendor that had the message has nothing of their own. */
function ledBy({ tables }: Desk, id: string): readonly string[] {
  const leader = tables.pages.rows.get(id);
  if (leader?.state !== 'ringing') return [];
  return leader.outgoing.flatMap(({ state, heard, notifier, with: others = [] }) => {
    if (state !== 'accepted' && heard !== true && state !== 'granted' && state !== 'waiting') return [];
    return others.flatMap(({ page: other }) => {
      const page = tables.pages.rows.get(other);
      const isCurrent = page?.state === 'ringing' && tables.incidents.rows.get(page.incident)?.page === other;
      return isCurrent && page.told.includes(notifier) && erasTold(page, notifier).length === 0 ? [other] : [];
    });
  });
}

/** Whether so much time may have been needed, with what was in the way meanwhile. */
function isInTime(since: Moment, now: Moment, spanMs: Millis): boolean {
  const restarts = now.lives - since.lives;
  const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
  return since.disturbances !== now.disturbances || now.up - since.up <= spanMs * (1 + (now.back > 0 ? restarts : 0)) + slack;
}

/** Why somebody should be called for it, and is not because of a storm; null when somebody is, or need not be. */
function uncalled(desk: Desk, incident: Incident, { paging }: Policy): string | null {
  const { incidents, pages } = desk.tables;
  if (incident.state !== 'open') return null;
  const page = pages.rows.get(incident.page ?? '');
  const storm = incidents.rows.get(incident.parent ?? '');
  const isOver = storm === undefined || storm.state === 'resolved';
  const worst = loudest(desk, incident);
  if (worst < severityRank(paging.severity)) return null;
  if (isOver) return page?.state === 'acked' && page.storm !== undefined ? `storm ${page.storm} speaks for it no longer` : null;
  if (page?.state === 'ringing') return `it is under ${storm.id} and rings beside it`;
  if (worst > severityRank(storm.severity)) return `it is worse than ${storm.id}, which is ${storm.severity}`;
  if (storm.state === 'acknowledged') return null;
  const speaker = pages.rows.get(storm.page ?? '');
  return speaker?.state === 'ringing' || speaker?.state === 'acked' ? null : `${storm.id} calls nobody: ${storm.decision}, ${storm.reason}`;
}

/** A person took it when it had no page, and everything that would call for it stands still; null when that is not so. */
function forgotten(desk: Desk, incident: Incident, { paging }: Policy): string | null {
  const { state, page, taken, parent, severity, root } = incident;
  if (state !== 'acknowledged' || page !== null || taken === undefined) return null;
  const storm = desk.tables.incidents.rows.get(parent ?? '');
  if ((storm !== undefined && storm.state !== 'resolved') || taken.storm !== undefined) return null;
  if (severity === 'critical' || desk.tables.alerts.rows.get(root)?.alert.name === 'Probe') return null; // another ladder, which asks after nobody
  return loudest(desk, incident) < severityRank(paging.severity) ? null : `${taken.by} took it, and nobody was called since`;
}

function loudest(desk: Desk, incident: Incident): number {
  return rankOf(loud(desk, incident).filter(({ alert }) => !alert.soft));
}

/** Something critical that a page which rings for something critical has not rung for, by what its rings said. */
function unheard(desk: Desk, incident: Incident): string | null {
  const page = desk.tables.pages.rows.get(incident.page ?? '');
  if (incident.storm || page?.state !== 'ringing' || page.severity !== 'critical') return null;
  for (const fingerprint of incident.listed) {
    const row = desk.tables.alerts.rows.get(fingerprint);
    if (row === undefined || row.muted !== null || page.criticals?.includes(row.alert.name) === true) continue;
    const { state, soft, severity, acknowledged, name } = row.alert;
    if (state === 'firing' && !soft && severity === 'critical' && !acknowledged) return `nobody heard of ${name}`;
  }
  return null;
}
