// What was learned about a rule, as a fact.
import type { FactBase } from '../stamp.ts';

/** What is known of a rule: lives in which someone or something had to act, that passed by themselves, and that say neither. */
export interface RuleLearned extends FactBase {
  readonly type: 'RuleLearned';
  readonly rule: string;
  readonly acted: number;
  readonly passed: number;
  /** Lives that say neither; counted apart, they move no score. */
  readonly unknown?: number;
}
