// What is bounded over many resources, and over all scopes of a tenant: on how many a playbook acts within a window (its blast radius), in how
// many runs at once, and how many members of a group stay healthy. The group of a playbook has a desk of its own, which is asked when a
// resource is granted: who does not fit in gives the resource back and asks again when it is told that it may fit, or when its time has come.
//   Q6  Within any window at most so many resources are let through; one that was let through already does not count again.
//   Q7  At most so many runs of a playbook are at work at once; a run counts from its grant until its resource is freed.
//   Q8  Nothing is begun on a member when so many others are at work on, or known to be ill, that too few healthy ones would be left. Ill is
//       who was not let act or could not be healed, until a run healed it or for a span; nothing but the configuration says how many there are.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import type { Playbook } from '../playbook/document.ts';
import { minute, spanOf, type Instant } from '../time.ts';
import type { Answer, Blast, ResourceReturned, ResourceWanted, Through, Want } from './facts.ts';
import { resourceOf } from './message.ts';
import { illMs, newGroup, type GroupRow } from './row.ts';

/** Of a playbook that says nothing: a fault that is wider than this is no fault of single hosts. */
const blastDefault: Blast = { max: 20, perMs: 10 * minute };
const unbounded: Blast = { max: 1_000_000_000, perMs: minute };
/** Whoever waits is told when it may fit; this is for when that gets lost. */
const askAgainMs = minute;
/** Told when one place is free, in the order in which they came: some may not need it any more. */
const toldMax = 3;

/** Which group bounds a run of the playbook, and by what. One that waits for a yes is at work only afterwards, so its runs are not counted here. */
export function throughOf(scope: string, { name, mode, guards, group }: Playbook): Through {
  const { blastRadius = blastDefault, concurrency, floor } = guards;
  return {
    group: resourceOf(scope, group === undefined ? name : `=${group}`),
    blast: blastRadius ?? unbounded,
    ...(mode === 'approve' ? {} : { concurrency }),
    ...(floor === undefined ? {} : { floor }),
  };
}

export function onGroupWanted(ctx: TurnContext, { resource, want }: ResourceWanted): void {
  const { through } = want;
  if (through === undefined) return;
  const { group, blast } = through;
  const row = groupOf(ctx, group);
  if (row.ended?.includes(want.run) === true) return; // told twice, and over by now
  emit(ctx, { type: 'GroupDecided', group, blast, resource, want, answer: answerTo(row, { resource, want, through, at: ctx.at }) });
  calmLater(ctx, group);
}

/** A resource that was granted through the group is free: what it takes up is for who waits. */
export function onGroupReturned(ctx: TurnContext, { group = '', resource, run, acted, helped = false }: ResourceReturned): void {
  if (groupOf(ctx, group).ended?.includes(run) === true) return;
  emit(ctx, { type: 'GroupFreed', group, resource, run, acted, helped });
  tellWaiting(ctx, group);
  calmLater(ctx, group);
}

interface Question {
  readonly resource: string;
  readonly want: Want;
  readonly through: Through;
  readonly at: Instant;
}

function answerTo(row: GroupRow, question: Question): Answer {
  if (row.running?.some(({ run }) => run === question.want.run) === true) return { verdict: 'granted' }; // told twice
  return outsideRadius(row, question) ?? belowFloor(row, question) ?? crowded(row, question) ?? { verdict: 'granted' };
}

function outsideRadius(row: GroupRow, { resource, want, through: { blast }, at }: Question): Answer | null {
  const { max, perMs } = blast;
  const others = row.admitted.filter(
    (one) =>
      at - one.at < perMs &&
      one.resource !== resource &&
      (one.playbook ?? want.playbook) === want.playbook &&
      (one.shadow !== true || want.shadow === true),
  );
  if (others.length < max) return null;
  const reason = `${want.playbook} was let act on ${others.length} others within ${spanOf(perMs)}, at most ${max}`;
  const lifts = others.map((one) => one.at + perMs - at).sort((a, b) => a - b);
  return { verdict: 'refused', guard: 'blastRadius', reason, liftsInMs: lifts[others.length - max] ?? perMs };
}

/** Q8 */
function belowFloor(row: GroupRow, { resource, through: { floor }, at }: Question): Answer | null {
  if (floor === undefined) return null;
  const { name, members, healthy } = floor;
  const others = new Set(
    [...(row.running ?? []).filter(({ until }) => at < until), ...(row.ill ?? []).filter((one) => at - one.at < illMs)].map(
      (one) => one.resource,
    ),
  );
  others.delete(resource);
  if (members - others.size - 1 >= healthy) return null;
  const reason = `${others.size} others of ${name} are acted on or ill, and ${healthy} of its ${members} are to stay healthy`;
  return { verdict: 'refused', guard: 'keepHealthy', reason, liftsInMs: askAgainMs };
}

/** Q7 */
function crowded(row: GroupRow, { want, through: { concurrency = Infinity }, at }: Question): Answer | null {
  const running = (row.running ?? []).filter((one) => one.playbook === want.playbook && one.run !== want.run && at < one.until);
  if (running.length < concurrency) return null;
  const reason = `${running.length} runs of ${want.playbook} at work, at most ${concurrency}`;
  return { verdict: 'refused', guard: 'concurrency', reason, liftsInMs: askAgainMs };
}

/** Who waits longest asks again, and is decided about then: by now it may not want to. */
function tellWaiting(ctx: TurnContext, group: string): void {
  const row = groupOf(ctx, group);
  const fitting = (row.waiting ?? []).filter(({ resource, want }) => {
    const { through } = want;
    return through !== undefined && answerTo(row, { resource, want, through, at: ctx.at }).verdict === 'granted';
  });
  const answer: Answer = { verdict: 'refused', guard: 'concurrency', reason: 'there is room again', liftsInMs: 0 };
  for (const { resource, want } of fitting.slice(0, toldMax)) {
    emit(ctx, { type: 'GroupDecided', group, blast: want.through?.blast ?? unbounded, resource, want, answer });
  }
}

function groupOf(ctx: TurnContext, group: string): GroupRow {
  return ctx.desk.tables.groups.rows.get(group) ?? newGroup;
}

function calmLater(ctx: TurnContext, group: string): void {
  wakeAfter(ctx, Math.max(groupOf(ctx, group).keepMs, minute), { kind: 'calm', group, asked: nextSeq(ctx) });
}

/** Nothing was let through for as long as any window, and nothing is at work. */
export function onCalm(ctx: TurnContext, group: string): void {
  const row = ctx.desk.tables.groups.rows.get(group);
  if (row === undefined || row.admitted.some(({ at }) => ctx.at - at < row.keepMs)) return;
  if ((row.ill ?? []).some(({ at }) => ctx.at - at < illMs)) return;
  if ((row.running ?? []).some(({ until }) => ctx.at < until)) return calmLater(ctx, group);
  emit(ctx, { type: 'DeskSwept', table: 'groups', keys: [group] });
}
