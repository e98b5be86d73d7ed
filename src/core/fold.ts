// The one writer of a desk: every fact is folded into rows by the fold.ts of its noun. Decides nothing, reads no policy.
//   D1  Folding a scope's facts from the beginning gives the desk that the turns left.
//   D2  A fact without an entry here does not compile.
import { alertFolds } from './alert/fold.ts';
import { clockFolds } from './clock/rebase.ts';
import { decideFolds } from './decide/fold.ts';
import { metaOf, type Desk, type Folds } from './desk.ts';
import { invariant } from './errors.ts';
import { incidentFolds } from './incident/fold.ts';
import { muteFolds } from './mute/fold.ts';
import { pageFolds } from './page/fold.ts';
import { playbookFolds } from './playbook/fold.ts';
import type { Fact } from './records.ts';
import { resourceFolds } from './resource/fold.ts';
import { runFolds } from './run/fold.ts';
import { scoreFolds } from './score/fold.ts';
import { sweepFolds } from './sweep.ts';
import { put } from './table.ts';
import { wakeFolds } from './wakes.ts';

const folds: Folds<Fact['type']> = {
  ...alertFolds,
  ...incidentFolds,
  ...scoreFolds,
  ...muteFolds,
  ...decideFolds,
  ...runFolds,
  ...resourceFolds,
  ...pageFolds,
  ...playbookFolds,
  ...wakeFolds,
  ...sweepFolds,
  ...clockFolds,
};

/** Takes the next fact of the desk's scope into its rows; touches only what the fact names. */
export function fold(desk: Desk, fact: Fact): void {
  const meta = metaOf(desk);
  invariant(fact.seq === meta.seq + 1, `L1: fact ${fact.seq} follows ${meta.seq} in scope ${desk.scope}`);
  put(desk.tables.meta, 'desk', { ...meta, seq: fact.seq, now: Math.max(meta.now, fact.at) });
  // The table pairs each type with the function for that very type; the compiler does not see it through an index.
  const foldOne = folds[fact.type] as (desk: Desk, fact: Fact) => void;
  foldOne(desk, fact);
}
