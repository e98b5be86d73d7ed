// Facts about resources, folded into rows: what an incident has asked for, and the resource itself. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import type { Asked } from '../incident/row.ts';
import { drop, put } from '../table.ts';
import type { Instant } from '../time.ts';
import type { GroupDecided, ResourceDecided, ResourceFreed, ResourceReleased, ResourceRequested, Want } from './facts.ts';
import { unknownResource, type ResourceRow } from './row.ts';

const startsKept = 50;
const admittedKept = 1_000;

export const resourceFolds: Folds<
  'ResourceRequested' | 'ResourceAnswered' | 'ResourceReleased' | 'ResourceDecided' | 'ResourceFreed' | 'GroupDecided'
> = {
  ResourceRequested: foldRequested,
  ResourceAnswered: (desk, { incident, run, answer, at: answeredAt }) =>
    changeAsked(desk, incident, (asked) => asked.map((one) => (one.run === run ? { ...one, answer, answeredAt } : one))),
  ResourceReleased: foldReleased,
  ResourceDecided: foldDecided,
  ResourceFreed: foldFreed,
  GroupDecided: foldGroup,
};

/** Who asks anew forgets what was said before. */
function foldRequested(desk: Desk, { incident, resource, alert, at, want: { run, playbook, target, holdMs } }: ResourceRequested): void {
  changeAsked(desk, incident, (asked) => [
    ...asked.filter((one) => one.playbook !== playbook || one.target !== target),
    { run, playbook, target, resource, alert, holdMs, askedAt: at, answer: null },
  ]);
}

/** What was refused stays known: it says when to ask again. */
function foldReleased(desk: Desk, { incident, run }: ResourceReleased): void {
  const asked = desk.tables.incidents.rows.get(incident)?.asked?.find((one) => one.run === run);
  if (asked?.answer?.verdict !== 'refused') forgetAsked(desk, incident, run);
}

/** The question is answered for good: its run begins, or does not want the resource any more. */
export function forgetAsked(desk: Desk, incident: string, run: string): void {
  if (desk.tables.incidents.rows.get(incident)?.asked?.some((one) => one.run === run) !== true) return;
  changeAsked(desk, incident, (asked) => asked.filter((one) => one.run !== run));
}

function changeAsked(desk: Desk, incident: string, next: (asked: readonly Asked[]) => readonly Asked[]): void {
  const row = desk.tables.incidents.rows.get(incident);
  if (row === undefined) return;
  const { asked: before = [], ...rest } = row;
  const asked = next(before);
  put(desk.tables.incidents, incident, asked.length === 0 ? rest : { ...rest, asked });
}

function foldDecided(desk: Desk, { resource, want, answer, at, seq: heldSeq }: ResourceDecided): void {
  const before = desk.tables.resources.rows.get(resource) ?? unknownResource;
  const row = { ...before, ...used(before, want, at), waiting: before.waiting.filter(({ run }) => run !== want.run) };
  if (answer.verdict === 'waits') put(desk.tables.resources, resource, { ...row, waiting: [...row.waiting, want] });
  else if (answer.verdict === 'refused') put(desk.tables.resources, resource, row);
  else
    put(desk.tables.resources, resource, {
      ...row,
      holder: want.run,
      heldSeq,
      starts: [...row.starts, startOf(want, at)].slice(-startsKept),
    });
}

function startOf({ run, playbook }: Want, at: Instant): ResourceRow['starts'][number] {
  return { run, playbook, at };
}

function used({ keepMs }: ResourceRow, { limits }: Want, usedAt: Instant): Pick<ResourceRow, 'usedAt' | 'keepMs'> {
  return { usedAt, keepMs: Math.max(keepMs, limits.cooldownMs, limits.attempts?.perMs ?? 0) };
}

/** A run that did nothing counts for nothing: no attempt, no cooldown. */
function foldFreed(desk: Desk, { resource, run, acted, at }: ResourceFreed): void {
  const before = desk.tables.resources.rows.get(resource) ?? unknownResource;
  const waiting = before.waiting.filter((want) => want.run !== run);
  if (before.holder !== run) return put(desk.tables.resources, resource, { ...before, waiting });
  const starts = acted ? before.starts : before.starts.filter((start) => start.run !== run);
  put(desk.tables.resources, resource, { ...before, waiting, starts, holder: null, lastEndAt: acted ? at : before.lastEndAt, usedAt: at });
}

function foldGroup(desk: Desk, { group, blast, resource, answer, at }: GroupDecided): void {
  const before = desk.tables.groups.rows.get(group);
  const keepMs = Math.max(before?.keepMs ?? 0, blast.perMs);
  const others = (before?.admitted ?? []).filter((one) => at - one.at < keepMs && one.resource !== resource);
  const admitted = answer.verdict === 'granted' ? [...others, { resource, at }] : (before?.admitted ?? []);
  put(desk.tables.groups, group, { admitted: admitted.slice(-admittedKept), keepMs });
}

export function forgetGroup(desk: Desk, group: string): void {
  drop(desk.tables.groups, group);
}

export function forgetResource(desk: Desk, resource: string): void {
  drop(desk.tables.resources, resource);
}
