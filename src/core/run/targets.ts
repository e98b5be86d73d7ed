// What is remembered of targets that playbooks acted on, bounded: those idle longest are forgotten first.
import { emit, type TurnContext } from '../context.ts';

const targetsMax = 10_000;
const targetsSwept = 1_000;

export function forgetTargets(ctx: TurnContext): void {
  const { targets } = ctx.desk.tables;
  if (targets.rows.size < targetsMax) return;
  const idle = [...targets.rows].filter(([, history]) => history.holder === null);
  idle.sort((a, b) => (a[1].lastEndAt ?? 0) - (b[1].lastEndAt ?? 0) || (a[0] < b[0] ? -1 : 1));
  emit(ctx, { type: 'DeskSwept', table: 'targets', keys: idle.slice(0, targetsSwept).map(([key]) => key) });
}
