// What the desk remembers of a rule.

export interface RuleCounts {
  readonly acted: number;
  readonly passed: number;
  readonly unknown: number;
}
