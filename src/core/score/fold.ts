// What was learned about rules, folded into rows. Decides nothing.
import type { Folds } from '../desk.ts';
import { put } from '../table.ts';

export const scoreFolds: Folds<'RuleLearned'> = {
  RuleLearned: (desk, fact) => put(desk.tables.rules, fact.rule, { acted: fact.acted, passed: fact.passed, unknown: fact.unknown ?? 0 }),
};
