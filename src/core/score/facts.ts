// What was learned about a rule, as a fact.
import type { FactBase } from '../stamp.ts';

/** What we learned about a rule: Beta counts of alerts that someone or something had to act on, and those that passed by themselves. */
export interface RuleLearned extends FactBase {
  readonly type: 'RuleLearned';
  readonly rule: string;
  readonly acted: number;
  readonly passed: number;
}
