// How bad an alert is: four words, least to most severe.

export const severities = ['info', 'warning', 'error', 'critical'] as const;

/** Least to most severe; an adapter maps its vendor's scale onto these four words. */
export type Severity = (typeof severities)[number];

/** The most severe of them, at least the first. */
export function worstOf(first: Severity, others: Iterable<Severity>): Severity {
  let worst = first;
  for (const one of others) if (severityRank(one) > severityRank(worst)) worst = one;
  return worst;
}

/** 0 for info … 3 for critical. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}
