// How likely it is that someone must act: log-odds added up term by term, so that every number can be shown and argued with.
// A first score: severity, agreement of sources, breadth, and what earlier alerts of the same rule came to.
import type { Alert } from '../alert/row.ts';
import { severityRank, type Severity } from '../alert/severity.ts';
import type { Incident } from '../incident/row.ts';
import type { RuleCounts } from './row.ts';

export interface ScoreTerm {
  readonly name: string;
  /** Log-odds that the term adds. */
  readonly weight: number;
  /** The measured quantity behind it. */
  readonly value: number;
  readonly why: string;
}

export interface Score {
  /** Stated probability that someone must act, 0–1. */
  readonly value: number;
  readonly terms: readonly ScoreTerm[];
}

/** Log-odds of each severity before anything else is known: info rarely needs a person, critical mostly does. */
const severityWeight = [-2.2, -0.7, 0.7, 1.4] as const;

const perSourceWeight = 0.9;

const perDoublingWeight = 0.25;

const breadthWeightMax = 1.5;

/** Beta prior of a rule nobody has met yet: as if it had been right twice in four times. */
const priorActed = 2;

const priorPassed = 2;

/** However often a rule cried wolf, a critical alert of it from two sources can still page. */
const ruleWeightMax = 2;

/** Score of an alert that arrives in an incident with these rule counts. */
export function scoreOf(alert: Alert, counts: RuleCounts | undefined, incident: Incident | undefined): Score {
  const terms = [severityTerm(alert.severity), ruleTerm(alert, counts), ...sizeTerms(incident)];
  return { value: probabilityOf(terms), terms };
}

/** How many sources and alerts agree. */
function sizeTerms(incident: Incident | undefined): readonly ScoreTerm[] {
  const terms: ScoreTerm[] = [];
  const sources = incident?.sources.length ?? 1;
  if (sources > 1) {
    const others = Math.min(sources - 1, 2);
    terms.push({ name: 'sources', weight: others * perSourceWeight, value: sources, why: `${sources} sources report it` });
  }
  const members = incident?.members ?? 1;
  if (members > 1) {
    const weight = Math.min(breadthWeightMax, Math.log2(members) * perDoublingWeight);
    terms.push({ name: 'breadth', weight: rounded(weight), value: members, why: `${members} alerts in one incident` });
  }
  return terms;
}

/** What the score of an incident would be if nothing had been learned about its rules: that of its worst alert, at least. */
export function unlearnedScore(incident: Incident): number {
  const terms = [severityTerm(incident.severity), ...sizeTerms(incident)];
  return probabilityOf(terms);
}

/** What was learned, in words; null when it did not lower the score. */
export function lowering({ terms }: Score): string | null {
  const rule = terms.find(({ name }) => name === 'rule');
  return rule === undefined || rule.weight >= 0 ? null : rule.why;
}

function probabilityOf(terms: readonly ScoreTerm[]): number {
  const sum = terms.reduce((total, term) => total + term.weight, 0);
  return rounded(1 / (1 + Math.exp(-sum)));
}

function severityTerm(severity: Severity): ScoreTerm {
  const rank = severityRank(severity);
  return { name: 'severity', weight: severityWeight[rank] ?? 0, value: rank, why: `severity ${severity}` };
}

function ruleTerm(alert: Alert, counts: RuleCounts | undefined): ScoreTerm {
  const acted = counts?.acted ?? 0;
  const passed = counts?.passed ?? 0;
  const share = (acted + priorActed) / (acted + passed + priorActed + priorPassed);
  const logOdds = Math.log(share / (1 - share));
  const why = acted + passed === 0 ? `${alert.name}: no history` : `${alert.name}: ${acted} of ${acted + passed} needed action`;
  return { name: 'rule', weight: rounded(Math.max(-ruleWeightMax, Math.min(ruleWeightMax, logOdds))), value: rounded(share), why };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
