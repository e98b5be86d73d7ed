// The proof that the fire is out: looked at again and again until it has held for its span, or its time is over.
import type { TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { isOver } from '../present.ts';
import { spanOf } from '../time.ts';
import { detailOf, request } from './calls.ts';
import { finish } from './finish.ts';
import { notBegun, type ActionOutcome } from './outcome.ts';
import { freshRun, move, pause, type Progress } from './position.ts';
import { playbookOf, proofOf, type Run } from './row.ts';
import { giveUp } from './undo.ts';

/** Goes through all proofs from the first one. */
export function verify(ctx: TurnContext, run: Run): Progress {
  return prove(ctx, run, 0);
}

/** Goes through the proofs from `from` on; a probe is asked for, and its answer comes back to `afterProbe`. */
function prove(ctx: TurnContext, run: Run, from: number): Progress {
  const { proofs, require } = playbookOf(ctx.desk, run).verify;
  for (const [index, proof] of proofs.entries()) {
    if (index < from) continue;
    if (proof.kind === 'probe') {
      const moved = move(ctx, run, { index }, `looks: ${proof.uses}`);
      const asked = request(ctx, moved, { part: 'verify', step: `proof${index + 1}`, attempt: run.pause + 1 }, proof);
      if (asked.ok) return asked.value;
      if (require === 'all') return unproven(ctx, moved, asked.error);
      continue; // a probe that cannot be asked for proves nothing; another proof may
    }
    const good = isOver(ctx, run);
    if (good && require === 'any') return proven(ctx, freshRun(ctx, run.id));
    if (!good && require === 'all') return unproven(ctx, freshRun(ctx, run.id), 'alerts still fire');
  }
  return require === 'all' ? proven(ctx, freshRun(ctx, run.id)) : unproven(ctx, freshRun(ctx, run.id), 'no proof held');
}

export function afterProbe(ctx: TurnContext, run: Run, _step: string, outcome: ActionOutcome): Progress {
  const { proofs, require } = playbookOf(ctx.desk, run).verify;
  const { index } = proofOf(run);
  const proof = proofs[index];
  invariant(proof?.kind === 'probe', 'R3: an answered proof is a probe');
  const result = outcome.outcome === 'unknown' ? {} : outcome.output;
  const environment = { ...runEnvironment(ctx.desk, run), result: { ...result, ok: outcome.outcome === 'ok' } };
  const isStarved = outcome.outcome === 'failed' && notBegun.has(outcome.error);
  const holds = ctx.expressions.evaluate(proof.expect, environment);
  const good = outcome.outcome === 'ok' && holds.ok && holds.value === true;
  if (good && require === 'any') return proven(ctx, run);
  if (!good && require === 'all') {
    const why = outcome.outcome === 'ok' ? (holds.ok ? `${proof.expect} does not hold` : holds.error) : detailOf(outcome);
    return unproven(ctx, run, `${proof.uses}: ${why}`, isStarved);
  }
  return prove(ctx, run, index + 1);
}

function proven(ctx: TurnContext, run: Run): Progress {
  const { stableForMs, everyMs } = playbookOf(ctx.desk, run).verify;
  const since = proofOf(run).goodSince ?? ctx.at;
  const left = since + stableForMs - ctx.at;
  if (left > 0) return pause(ctx, run, Math.min(left, everyMs), { index: 0, goodSince: since }, `good, must stay so for ${spanOf(left)}`);
  return finish(ctx, run, run.degraded ? 'degraded' : 'succeeded', 'verified');
}

/** What could not even be looked at is not known, and nothing is taken back for it. */
function unproven(ctx: TurnContext, run: Run, why: string, isUnseen = false): Progress {
  const { withinMs, everyMs } = playbookOf(ctx.desk, run).verify;
  const left = proofOf(run).since + withinMs - ctx.at;
  if (left > 0) return pause(ctx, run, Math.min(left, everyMs), { index: 0, goodSince: null }, why);
  if (isUnseen) return finish(ctx, run, 'unknown', `whether it helped is not known: ${why}`);
  return giveUp(ctx, run, 'failed', `not verified within ${spanOf(withinMs)}: ${why}`);
}
