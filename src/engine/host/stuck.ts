// Whether the log takes what a host appends: decisions, answers of waits. While it does not, what its desks hold open can be told to nobody by the
// usual way; what that is stands here, too, for the page that says so (failopen/stuck.ts). Decides nothing.
import { severityRank, type Severity } from '../../core/alert/severity.ts';
import type { Desk } from '../../core/desk.ts';
import type { Incident } from '../../core/incident/row.ts';
import type { Policy } from '../../core/playbook/policy.ts';
import type { Instant, Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';

/** Nothing was appended for so long, though it was tried. */
export interface Stuck {
  readonly since: Instant;
  readonly forMs: Millis;
  /** Why, in the words of the log. */
  readonly says: string;
}

/** An incident that would call somebody, or does. */
export interface Untold {
  readonly title: string;
  readonly severity: Severity;
  readonly at: Instant;
}

export interface Untolds {
  /** Watched or held before it is paged. */
  readonly held: number;
  /** Its page rings, and its next rung cannot. */
  readonly ringing: number;
  /** Of both, the gravest and of those the oldest. */
  readonly gravest: readonly Untold[];
}

export interface AppendWatch {
  /** The log, whose appends are watched. */
  readonly log: EventLog;
  /** Null while appends go well, or none was tried. */
  stuck(): Stuck | null;
}

export function watchAppendsOf(log: EventLog, clock: Pick<Clock, 'now' | 'steady'>): AppendWatch {
  let failing: { readonly since: Instant; readonly from: Millis; says: string } | null = null;
  return {
    log: {
      ...log,
      async append(topic, batch) {
        try {
          const offset = await log.append(topic, batch);
          failing = null;
          return offset;
        } catch (error) {
          failing ??= { since: clock.now(), from: clock.steady(), says: '' };
          failing.says = error instanceof Error ? error.message : String(error);
          throw error;
        }
      },
    },
    stuck: () => (failing === null ? null : { since: failing.since, forMs: clock.steady() - failing.from, says: failing.says }),
  };
}

/** Walks over all incidents: for the moment in which a page is written, not for a figure. */
export function untoldsOf(desks: Iterable<Desk>, paging: Policy['paging'], max: number): Untolds {
  let [held, ringing] = [0, 0];
  let gravest: readonly Untold[] = [];
  for (const { tables } of desks) {
    for (const incident of tables.incidents.rows.values()) {
      const rings = incident.page !== null && tables.pages.rows.get(incident.page)?.state === 'ringing';
      if (!rings && !isHeld(incident, paging)) continue;
      if (rings) ringing += 1;
      else held += 1;
      gravest = gravestOf([...gravest, { title: incident.title, severity: incident.severity, at: incident.openedAt }], max);
    }
  }
  return { held, ringing, gravest };
}

export function gravestOf(untolds: readonly Untold[], max: number): readonly Untold[] {
  return untolds.toSorted((one, other) => severityRank(other.severity) - severityRank(one.severity) || one.at - other.at).slice(0, max);
}

/** Nobody has it, nobody was called for it, nothing mutes it, and by its severity somebody would be. */
function isHeld({ state, page, parent, decision, severity }: Incident, paging: Policy['paging']): boolean {
  const waits = decision === null || decision === 'hold' || decision === 'remediate' || decision === 'page';
  return state === 'open' && page === null && parent === null && waits && severityRank(severity) >= severityRank(paging.severity);
}
