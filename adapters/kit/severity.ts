// The words in which the field says how bad something is, and what they mean to us. Knows no vendor.
//   V1  Case, blanks and signs between the parts of a word never matter: `SEV-1`, `sev 1` and `"critical "` are understood.
//   V2  A word that nobody explained is never passed over in silence: the default counts, and the delivery carries a warning.
//   V3  Of a short phrase the one word that is known counts, unless the phrase denies it.
import type { Severity } from '../../src/core/alert/severity.ts';

export type SeverityWords = { readonly [word: string]: Severity };

/** Priorities count from the worst: P1, sev1, S1 and a bare 1 call people, whatever the scale's end. */
const priorities: readonly Severity[] = ['critical', 'critical', 'error', 'warning', 'info', 'info'];
const prefixes = ['', 'p', 'prio', 'priority', 's', 'sev', 'severity'] as const;

/** Words that mean the same wherever they come from: names, syslog's levels, priorities by number. */
export const commonSeverities: SeverityWords = {
  critical: 'critical',
  crit: 'critical',
  fatal: 'critical',
  emergency: 'critical',
  emerg: 'critical',
  panic: 'critical',
  alert: 'critical',
  blocker: 'critical',
  disaster: 'critical',
  page: 'critical',
  urgent: 'critical',
  error: 'error',
  err: 'error',
  high: 'error',
  major: 'error',
  severe: 'error',
  warning: 'warning',
  warn: 'warning',
  medium: 'warning',
  moderate: 'warning',
  average: 'warning',
  minor: 'warning',
  ticket: 'warning',
  info: 'info',
  information: 'info',
  informational: 'info',
  notice: 'info',
  low: 'info',
  debug: 'info',
  none: 'info',
  ok: 'info',
  ...Object.fromEntries(prefixes.flatMap((prefix) => priorities.map((severity, number) => [`${prefix}${number}`, severity]))),
};

/** What a word means, or null when nobody explained it (V2); `''` is no word. */
export type SeverityReader = (word: string) => Severity | null;

/** Reads words by the given lists, a later one is stronger; words are compared without case, blanks and signs (V1). */
export function severityReader(...lists: readonly (SeverityWords | undefined)[]): SeverityReader {
  const known = new Map<string, Severity>();
  for (const words of lists) for (const [word, severity] of Object.entries(words ?? {})) known.set(spelling(word), severity);
  return (word) => known.get(spelling(word)) ?? inPhrase(word, known);
}

const phraseWordsMax = 4;

/** V3: the one severity that a phrase names: `5 - Disaster`, `Severity: High`. Its numbers say nothing, as nobody knows which end of a scale they count from. */
function inPhrase(phrase: string, known: ReadonlyMap<string, Severity>): Severity | null {
  const parts =
    phrase
      .slice(0, 128)
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  if (parts.length > phraseWordsMax || parts.some((part) => /^(?:no|not|non|un)$/.test(part))) return null;
  const found = new Set(parts.flatMap((part) => known.get(part) ?? []));
  return found.size === 1 ? ([...found][0] ?? null) : null;
}

function spelling(word: string): string {
  return word
    .slice(0, 128)
    .toLowerCase()
    .replace(/[\s_.:#-]+/g, '');
}

/** The warning for one unknown word, with what to paste; the word is cut and quoted. */
export function unknownSeverity(vendor: string, word: string, taken: Severity): string {
  const shown = JSON.stringify(word.trim().slice(0, 40).toWellFormed());
  return `${vendor}: severity ${shown} is not known, taken as ${taken}; to explain it add to the endpoint: severities: { ${shown}: critical }`;
}

/** Unknown words of one delivery, each told once and at most eight of them. */
export function unknownSeverities(vendor: string, words: ReadonlySet<string>, taken: Severity): readonly string[] {
  return [...words].slice(0, 8).map((word) => unknownSeverity(vendor, word, taken));
}
