// The members of an incident that call somebody, as the checker sees them: of those listed, what fires and nothing mutes.
import { severityRank } from '../../src/core/alert/severity.ts';
import type { AlertRow } from '../../src/core/alert/row.ts';
import type { Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';

export function loud({ tables }: Desk, { listed }: Incident): readonly AlertRow[] {
  return listed.flatMap((fingerprint) => {
    const row = tables.alerts.rows.get(fingerprint);
    return row !== undefined && row.alert.state === 'firing' && row.muted === null ? [row] : [];
  });
}

/** The rank of the most severe of them; less than any when there is none. */
export function rankOf(rows: readonly AlertRow[]): number {
  return Math.max(-1, ...rows.map(({ alert }) => severityRank(alert.severity)));
}
