// Whether a playbook may act now: its guards, asked in a fixed order, each refusal with the numbers compared.
//   G2  One run holds a target at a time, whatever playbook it runs.
//   G3  Every refusal names the guard, the numbers compared, and what would lift it.
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import type { Guard } from '../run/facts.ts';
import { spanOf } from '../time.ts';

export interface Refusal {
  readonly guard: Guard;
  readonly target: string;
  readonly reason: string;
}

/** The first guard that says no, or null. Order: freeze, confidence, storm, cooldown, attempts, lock, concurrency. */
export function refusalOf(ctx: TurnContext, incident: Incident, playbook: Playbook, target: string): Refusal | null {
  const no = (guard: Guard, reason: string): Refusal => ({ guard, target, reason });
  const { guards } = playbook;
  const { frozen } = ctx;
  if (playbook.mode === 'shadow') return null;
  if (frozen !== null) return no('freeze', `frozen by ${frozen.by}: ${frozen.reason}; thaw lifts it`);
  if (incident.score.value < guards.confidence) return no('confidence', `score ${incident.score.value} is below ${guards.confidence}`);
  if (incident.storm) return no('storm', 'no automatic action inside an alert storm');
  const history = ctx.desk.tables.targets.rows.get(target);
  const since = history?.lastEndAt === undefined || history.lastEndAt === null ? null : ctx.at - history.lastEndAt;
  if (since !== null && since < guards.cooldownMs) {
    return no('cooldown', `${target} was acted on ${spanOf(since)} ago, cooldown ${spanOf(guards.cooldownMs)}`);
  }
  const attempts = attemptsOf(ctx, playbook, target);
  if (guards.attempts !== null && attempts >= guards.attempts.max) {
    return no('attempts', `${attempts} runs on ${target} within ${spanOf(guards.attempts.perMs)}, at most ${guards.attempts.max}`);
  }
  if (history?.holder !== undefined && history.holder !== null) return no('lock', `run ${history.holder} holds ${target}`); // G2
  const running = runningOf(ctx, playbook.name);
  if (running >= guards.concurrency) return no('concurrency', `${running} runs of ${playbook.name} at work, at most ${guards.concurrency}`);
  return null;
}

/** A guard that lifts by itself soon: worth waiting for within the hold-off, instead of paging at once. */
export function isPassing(guard: Guard): boolean {
  return guard === 'lock' || guard === 'concurrency';
}

function attemptsOf(ctx: TurnContext, playbook: Playbook, target: string): number {
  const limit = playbook.guards.attempts;
  if (limit === null) return 0;
  const starts = ctx.desk.tables.targets.rows.get(target)?.starts ?? [];
  return starts.filter((start) => start.playbook === playbook.name && ctx.at - start.at < limit.perMs).length;
}

function runningOf(ctx: TurnContext, playbook: string): number {
  let running = 0;
  for (const run of ctx.desk.tables.runs.rows.values()) {
    if (run.playbook.name === playbook && run.end === null && run.mode !== 'shadow') running += 1;
  }
  return running;
}
