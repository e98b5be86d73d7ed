// Desks in and out of checkpoints: which rows changed since the last save, and desks built from saved rows.
import { newDesk, reindex, type Desk, type TableName } from '../../core/desk.ts';
import type { Table } from '../../core/table.ts';
import { upgradeRow, type PlacedRow } from '../../core/upgrade.ts';
import type { DeskRow } from '../../ports/checkpoints.ts';

/** Rows changed since the last call, and forgets that they were. */
export function changedRows(desk: Desk): DeskRow[] {
  const rows: DeskRow[] = [];
  for (const [name, table] of tablesOf(desk)) {
    for (const key of table.changed) rows.push({ scope: desk.scope, table: name, key, doc: table.rows.get(key) ?? null });
    table.changed.clear();
  }
  return rows;
}

export function changedCount(desk: Desk): number {
  let count = 0;
  for (const [, table] of tablesOf(desk)) count += table.changed.size;
  return count;
}

/**
 * Takes saved rows into their desks; call `finishLoading` when all have come. A row that an earlier version saved is upgraded in memory,
 * and written anew when it changes; only what that version had no row for counts as changed, so that the next save stays small.
 */
export function takeRows(desks: Map<string, Desk>, rows: readonly DeskRow[]): void {
  for (const { scope, table, key, doc } of rows) {
    if (doc === null) continue;
    // Rows are written by changedRows only, so the table exists and the document has its type.
    for (const row of upgradeRow({ table: table as TableName, key, doc })) takeRow(deskOf(desks, scope), row, row.table !== table);
  }
}

function takeRow(desk: Desk, { table: name, key, doc }: PlacedRow, isNew: boolean): void {
  const table = desk.tables[name] as Table<object> | undefined;
  table?.rows.set(key, doc);
  if (isNew) table?.changed.add(key);
}

export function finishLoading(desks: Map<string, Desk>): void {
  for (const desk of desks.values()) reindex(desk);
}

export function deskOf(desks: Map<string, Desk>, scope: string): Desk {
  const known = desks.get(scope);
  if (known !== undefined) return known;
  const desk = newDesk(scope);
  desks.set(scope, desk);
  return desk;
}

/** Nothing is on it but where its numbers and its time stand, which is all that a later turn needs of it. */
export function isBare(desk: Desk): boolean {
  return tablesOf(desk).every(([name, { rows, changed }]) => (name === 'meta' || rows.size === 0) && changed.size === 0);
}

function tablesOf(desk: Desk): readonly (readonly [string, Table<object>])[] {
  return Object.entries(desk.tables);
}
