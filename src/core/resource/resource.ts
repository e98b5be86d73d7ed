// The desk of a resource decides who may act on it: one run at a time, over all scopes, in the order of its log.
// Knows runs by their ids and nothing else of them; that a granted run is still wanted, its own desk sees to (decide/asking.ts).
//   Q1  One run holds a resource at a time; who comes meanwhile waits in order and is granted it in the turn that frees it. Nobody polls.
//   Q2  Cooldown and attempts are asked for each grant, of whoever waited, too.
//   Q3  What comes twice is decided once: a run that holds it, waits for it, or has begun on it is not decided about again.
//   Q4  A hold has an end: after the longest time of its run, and a margin, the resource is free; the run itself begins nothing any more
//       towards the end of that time (V4 in present.ts). Spans are compared, never the clocks of two desks.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { hour, type Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { Answer, ResourceFreed, ResourceReturned, ResourceWake, ResourceWanted, Want } from './facts.ts';
import { onCalm, onGroupReturned, onGroupWanted } from './group.ts';
import { attemptsReason, coolingReason, coolsIn } from './limits.ts';
import { holdMarginMs, unknownResource, type ResourceRow } from './row.ts';

const waitingMax = 100;
const keepLeastMs: Millis = hour;

export function onWanted(ctx: TurnContext, input: ResourceWanted): void {
  if (input.group !== undefined) return onGroupWanted(ctx, input);
  const { resource, want } = input;
  const row = rowOf(ctx, resource);
  if (row.holder === want.run || row.waiting.some(({ run }) => run === want.run)) return; // Q3
  if (row.starts.some(({ run }) => run === want.run)) return; // Q3
  decide(ctx, resource, want);
}

export function onReturned(ctx: TurnContext, input: ResourceReturned): void {
  if (input.group !== undefined) return onGroupReturned(ctx, input);
  const { resource, run, acted, helped } = input;
  const row = rowOf(ctx, resource);
  if (row.holder !== run && !row.waiting.some((want) => want.run === run)) return;
  free(ctx, resource, { run, acted, why: 'returned', ...(helped === undefined ? {} : { helped }) });
}

export const resourceWakes: WakeHandlers<ResourceWake['kind']> = {
  hold(ctx, { resource, run, asked }) {
    const { holder, heldSeq } = rowOf(ctx, resource);
    // Nobody knows what it did.
    if (holder === run && heldSeq + 1 === asked) free(ctx, resource, { run, acted: true, why: 'overdue' }); // Q4
  },
  calm: (ctx, { group }) => onCalm(ctx, group),
  idle(ctx, { resource }) {
    const { holder, waiting, usedAt, keepMs } = rowOf(ctx, resource);
    const isIdle = holder === null && waiting.length === 0 && ctx.at - usedAt >= Math.max(keepMs, keepLeastMs);
    if (isIdle && ctx.desk.tables.resources.rows.has(resource)) emit(ctx, { type: 'DeskSwept', table: 'resources', keys: [resource] });
  },
};

function rowOf(ctx: TurnContext, resource: string): ResourceRow {
  return ctx.desk.tables.resources.rows.get(resource) ?? unknownResource;
}

function decide(ctx: TurnContext, resource: string, want: Want): Answer['verdict'] {
  const answer = answerTo(ctx, rowOf(ctx, resource), want);
  emit(ctx, { type: 'ResourceDecided', resource, want, answer });
  if (answer.verdict === 'granted' && want.shadow !== true)
    wakeAfter(ctx, want.holdMs + holdMarginMs, { kind: 'hold', resource, run: want.run, asked: nextSeq(ctx) });
  else if (answer.verdict === 'refused' || want.shadow === true) forgetLater(ctx, resource);
  return answer.verdict;
}

/** While somebody holds it the others wait: whether that one counts as an attempt, and when it cools down, is known when it ends (Q2). */
function answerTo({ at }: TurnContext, row: ResourceRow, { playbook, target, limits, shadow }: Want): Answer {
  if (row.holder !== null) {
    const reason = `run ${row.holder} holds ${target}`; // Q1
    if (shadow === true) return { verdict: 'refused', guard: 'lock', reason };
    if (row.waiting.length < waitingMax) return { verdict: 'waits', guard: 'lock', reason };
    return { verdict: 'refused', guard: 'lock', reason: `${reason}, and ${row.waiting.length} wait for it` };
  }
  const cooling = coolingReason(row, limits, target, at);
  if (cooling !== null) return { verdict: 'refused', guard: 'cooldown', reason: cooling, liftsInMs: coolsIn(row, limits, at) };
  const starts = row.starts.filter((start) => start.shadow !== true || shadow === true);
  const tired = attemptsReason({ ...row, starts }, limits, playbook, target, at);
  return tired === null ? { verdict: 'granted' } : { verdict: 'refused', guard: 'attempts', reason: tired };
}

function free(ctx: TurnContext, resource: string, how: Pick<ResourceFreed, 'run' | 'acted' | 'helped' | 'why'>): void {
  const { holder, group } = rowOf(ctx, resource);
  const through = holder === how.run && group !== undefined ? { group } : {};
  emit(ctx, { type: 'ResourceFreed', resource, ...how, ...through });
  // Q1, Q2: each leaves the queue, whatever is decided; so this ends.
  for (let next = nextOf(ctx, resource); next !== undefined; next = nextOf(ctx, resource)) decide(ctx, resource, next);
  if (rowOf(ctx, resource).holder === null) forgetLater(ctx, resource);
}

/** Who is to have it now; nobody while somebody holds it. */
function nextOf(ctx: TurnContext, resource: string): Want | undefined {
  const { holder, waiting } = rowOf(ctx, resource);
  return holder === null ? waiting[0] : undefined;
}

function forgetLater(ctx: TurnContext, resource: string): void {
  const { keepMs } = rowOf(ctx, resource);
  wakeAfter(ctx, Math.max(keepMs, keepLeastMs), { kind: 'idle', resource, asked: nextSeq(ctx) });
}
