// How bad an alert is: four words, least to most severe.

export const severities = ['info', 'warning', 'error', 'critical'] as const;

/** Least to most severe; an adapter maps its vendor's scale onto these four words. */
export type Severity = (typeof severities)[number];

/** 0 for info … 3 for critical. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}
