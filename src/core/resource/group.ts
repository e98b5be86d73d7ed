// The blast radius: on how many resources a playbook may act within a window, over all scopes of a tenant. Its group has a desk of its own,
// which is asked when a resource is granted: who does not fit in gives the resource back, and asks again when the window lets it.
//   Q6  Within any window at most so many resources are let through; one that was let through already does not count again.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import type { Playbook } from '../playbook/document.ts';
import { minute, spanOf } from '../time.ts';
import type { Answer, Blast, ResourceWanted, Through, Want } from './facts.ts';

/** Of a playbook that says nothing: a fault that is wider than this is no fault of single hosts. */
const blastDefault: Blast = { max: 20, perMs: 10 * minute };

export function blastOf({ guards }: Playbook): Blast | null {
  return guards.blastRadius === undefined ? blastDefault : guards.blastRadius;
}

export function onGroupWanted(ctx: TurnContext, { resource, want }: ResourceWanted): void {
  const { through } = want;
  if (through === undefined) return;
  const { group, blast } = through;
  emit(ctx, { type: 'GroupDecided', group, blast, resource, want, answer: answerTo(ctx, through, resource, want) });
  const keepMs = ctx.desk.tables.groups.rows.get(group)?.keepMs ?? blast.perMs;
  wakeAfter(ctx, keepMs, { kind: 'calm', group, asked: nextSeq(ctx) });
}

function answerTo({ desk, at }: TurnContext, { group, blast }: Through, resource: string, { playbook }: Want): Answer {
  const { max, perMs } = blast;
  const all = desk.tables.groups.rows.get(group)?.admitted ?? [];
  const others = all.filter((one) => at - one.at < perMs && one.resource !== resource);
  if (others.length < max) return { verdict: 'granted' };
  const reason = `${playbook} was let act on ${others.length} others within ${spanOf(perMs)}, at most ${max}`;
  const lifts = others.map((one) => one.at + perMs - at).sort((a, b) => a - b);
  return { verdict: 'refused', guard: 'blastRadius', reason, liftsInMs: lifts[others.length - max] ?? perMs };
}

/** Nothing was let through for as long as any window. */
export function onCalm(ctx: TurnContext, group: string): void {
  const row = ctx.desk.tables.groups.rows.get(group);
  if (row === undefined || row.admitted.some(({ at }) => ctx.at - at < row.keepMs)) return;
  emit(ctx, { type: 'DeskSwept', table: 'groups', keys: [group] });
}
