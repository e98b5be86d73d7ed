// Facts about resources, folded into rows: what an incident has asked for, and the resource itself. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import type { Asked } from '../incident/row.ts';
import { drop, put } from '../table.ts';
import type { Instant } from '../time.ts';
import type {
  Answer,
  GroupDecided,
  GroupFreed,
  ResourceDecided,
  ResourceFreed,
  ResourceReleased,
  ResourceRequested,
  Want,
} from './facts.ts';
import { holdMarginMs, illMs, newGroup, unknownResource, type GroupRow, type ResourceRow, type Waiting } from './row.ts';

const startsKept = 50;
const admittedKept = 1_000;
const endedKept = 100;
const waitingKept = 100;

export const resourceFolds: Folds<
  'ResourceRequested' | 'ResourceAnswered' | 'ResourceReleased' | 'ResourceDecided' | 'ResourceFreed' | 'GroupDecided' | 'GroupFreed'
> = {
  ResourceRequested: foldRequested,
  ResourceAnswered: (desk, { incident, run, answer, at: answeredAt }) =>
    changeAsked(desk, incident, (asked) => asked.map((one) => (one.run === run ? { ...one, answer, answeredAt } : one))),
  ResourceReleased: foldReleased,
  ResourceDecided: foldDecided,
  ResourceFreed: foldFreed,
  GroupDecided: foldGroup,
  GroupFreed: foldGroupFreed,
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
  if (want.shadow === true)
    put(desk.tables.resources, resource, answer.verdict === 'granted' ? { ...row, starts: begun(row, want, at) } : row);
  else if (answer.verdict === 'waits') put(desk.tables.resources, resource, { ...row, waiting: [...row.waiting, want] });
  else if (answer.verdict === 'refused') put(desk.tables.resources, resource, row);
  else
    put(desk.tables.resources, resource, {
      ...row,
      holder: want.run,
      heldSeq,
      starts: begun(row, want, at),
      ...(want.through === undefined ? {} : { group: want.through.group }),
    });
}

function begun({ starts }: ResourceRow, { run, playbook, shadow }: Want, at: Instant): ResourceRow['starts'] {
  return [...starts, { run, playbook, at, ...(shadow === true ? { shadow } : {}) }].slice(-startsKept);
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
  const { group: _through, ...rest } = before;
  put(desk.tables.resources, resource, { ...rest, waiting, starts, holder: null, lastEndAt: acted ? at : before.lastEndAt, usedAt: at });
}

function foldGroup(desk: Desk, { group, blast, resource, want, answer, at }: GroupDecided): void {
  const before = desk.tables.groups.rows.get(group) ?? newGroup;
  const { playbook, run, shadow, through } = want;
  const hasFloor = through?.floor !== undefined;
  const row = { ...before, keepMs: Math.max(before.keepMs, blast.perMs) };
  if (answer.verdict !== 'granted') {
    if (shadow === true) return put(desk.tables.groups, group, row);
    const ill = hasFloor ? { ill: illWith(before, resource, at) } : {};
    return put(desk.tables.groups, group, { ...row, ...ill, waiting: waitingWith(before, { resource, want }, answer) });
  }
  const isOther = (one: GroupRow['admitted'][number]): boolean => one.resource !== resource || one.playbook !== playbook;
  const others = before.admitted.filter((one) => at - one.at < row.keepMs && isOther(one));
  const one = { resource, at, playbook, ...(shadow === true ? { shadow } : {}) };
  const admitted = [...others, one].slice(-admittedKept);
  if (shadow === true || (through?.concurrency === undefined && !hasFloor)) return put(desk.tables.groups, group, { ...row, admitted });
  const running = [
    ...(before.running ?? []).filter((each) => each.run !== run && at < each.until),
    { run, resource, playbook, until: at + want.holdMs + holdMarginMs },
  ];
  put(desk.tables.groups, group, {
    ...row,
    admitted,
    running: running.slice(-admittedKept),
    waiting: waitingWith(before, { resource, want }, answer),
  });
}

function foldGroupFreed(desk: Desk, { group, resource, run, acted, helped, at }: GroupFreed): void {
  const before = desk.tables.groups.rows.get(group);
  if (before === undefined) return;
  const { ill = [], running = [], ended = [], waiting } = before;
  const stays = helped ? ill.filter((one) => one.resource !== resource) : acted ? illWith(before, resource, at) : ill;
  put(desk.tables.groups, group, {
    ...before,
    running: running.filter((one) => one.run !== run && at < one.until),
    ended: [...ended, run].slice(-endedKept),
    ...(waiting === undefined ? {} : { waiting: waiting.filter(({ told }) => told !== true) }),
    ...(ill.length + stays.length > 0 ? { ill: stays } : {}),
  });
}

function illWith({ ill = [] }: GroupRow, resource: string, at: Instant): NonNullable<GroupRow['ill']> {
  return [...ill.filter((one) => one.resource !== resource && at - one.at < illMs), { resource, at }].slice(-admittedKept);
}

/** Who is told that there is room keeps its place until it asks again, or others are told. Who knows when to ask again was never in the queue. */
function waitingWith({ waiting = [] }: GroupRow, one: Waiting, answer: Answer): readonly Waiting[] {
  const isMine = ({ resource, want }: Waiting): boolean => resource === one.resource && want.playbook === one.want.playbook;
  const at = waiting.findIndex(isMine);
  if (answer.verdict !== 'refused' || answer.guard === 'blastRadius') return at < 0 ? waiting : waiting.toSpliced(at, 1);
  const next = answer.liftsInMs === 0 ? { ...one, told: true as const } : one;
  if (at >= 0) return waiting.with(at, next);
  return waiting.length < waitingKept && answer.liftsInMs !== 0 ? [...waiting, next] : waiting;
}

export function forgetGroup(desk: Desk, group: string): void {
  drop(desk.tables.groups, group);
}

export function forgetResource(desk: Desk, resource: string): void {
  drop(desk.tables.resources, resource);
}
