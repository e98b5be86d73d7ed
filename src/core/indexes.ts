// Indexes that follow their rows by themselves: whatever puts or drops a row, and a load, brings them up to date (table.ts).
// What an index holds is said in desk.ts. Decides nothing.
//   D3  An index finds what a look at every row would find, whatever the order in which the rows came.
import type { AlertRow } from './alert/row.ts';
import { addCount } from './counts.ts';
import type { Desk, Indexes } from './desk.ts';
import { isInDoubt, type Incident } from './incident/row.ts';
import type { SilenceRow } from './mute/row.ts';
import { indexSilence, unindexSilence } from './mute/silences.ts';
import { addText, dropText, newOrdered, type OrderedTexts } from './ordered.ts';
import { playbookOf, worksNow, type Run } from './run/row.ts';

export function followAlert(indexes: Indexes, key: string, before: AlertRow | undefined, after: AlertRow | undefined): void {
  const { openAlerts, criticals } = indexes;
  const was = before?.alert.state === 'firing';
  const is = after?.alert.state === 'firing';
  if (is && !was) addText(openAlerts, key);
  else if (was && !is) dropText(openAlerts, key);
  move(criticals, key, criticalIn(before), criticalIn(after));
}

/** The incident of which it is a critical member that fires. */
function criticalIn(row: AlertRow | undefined): string | null {
  return row?.alert.state === 'firing' && row.alert.severity === 'critical' ? row.alert.incident : null;
}

export function followIncident(indexes: Indexes, key: string, before: Incident | undefined, after: Incident | undefined): void {
  if (after !== undefined && isDoubtAlone(after)) indexes.doubts.add(key);
  else if (before !== undefined) indexes.doubts.delete(key);
  move(indexes.openChildren, key, parentOf(before), parentOf(after));
}

/** Takes a key from the set of one incident to that of another; null is none. */
function move(sets: Map<string, OrderedTexts>, key: string, from: string | null, to: string | null): void {
  if (from === to) return;
  const left = from === null ? undefined : sets.get(from);
  if (left !== undefined) dropText(left, key);
  if (from !== null && left?.size === 0) sets.delete(from);
  if (to === null) return;
  const set = sets.get(to) ?? newOrdered();
  sets.set(to, set);
  addText(set, key);
}

/** What a run left in doubt and burns no more. */
function isDoubtAlone(incident: Incident): boolean {
  return incident.firing === 0 && isInDoubt(incident);
}

/** The storm that speaks for it while it is not over. */
function parentOf(incident: Incident | undefined): string | null {
  return incident === undefined || incident.state === 'resolved' ? null : incident.parent;
}

export function followRun(desk: Desk, before: Run | undefined, after: Run | undefined): void {
  const was = before !== undefined && worksNow(before);
  const is = after !== undefined && worksNow(after);
  if (was === is) return;
  const run = after ?? before;
  if (run === undefined) return;
  addCount(desk.indexes.runsAtWork, playbookOf(desk, run).name, is ? 1 : -1);
}

export function followSilence(indexes: Indexes, key: string, before: SilenceRow | undefined, after: SilenceRow | undefined): void {
  if (before?.silence !== after?.silence) {
    if (before !== undefined) unindexSilence(indexes.silences, before.silence);
    if (after !== undefined) indexSilence(indexes.silences, after.silence);
  }
  if (after !== undefined && after.silence.untilResolved && after.used && after.muting === 0) indexes.spentSilences.add(key);
  else indexes.spentSilences.delete(key);
}
