// What an answer of a source means for what we believe: which open alerts it did not tell us of, and which of ours are over there.
// Pure: the instant of the asking is handed in. Asking, reading and appending is reconciler.ts.
//   R1  An alert is taken to be over only when two whole answers in a row miss it in the same episode, at least `confirmMs` apart, from a
//       source that had been up for its grace; an answer that is partial, unsure or of a source that just started proves no absence.
//   R2  Only what we had not heard of for `unheardMs` when we asked is taken to be over, and its end is dated before that span: an
//       episode that began around the asking, and whose webhook is on its way, is never cleared by it.
//   R3  What the source has open is told when we do not believe it, believe an earlier episode or another severity or that it is held back there, or have not heard of it
//       for so long that it would go stale. An answer that is older than what we heard tells nothing.
import { severityRank } from '../../core/alert/severity.ts';
import type { AlertEvent } from '../../core/alert/event.ts';
import type { Instant, Millis } from '../../core/time.ts';
import type { Delivery } from '../../ports/source.ts';
import type { AlertDocument } from '../../readmodel/documents.ts';

/** One alert of an answer, as the endpoint's source reads it. */
export interface ReadAlert {
  readonly id: string;
  readonly event: AlertEvent;
  readonly delivery: Delivery;
  readonly ours: boolean;
}

/** Alerts that the last answers missed: the episode, and since which asking. */
export type Suspects = ReadonlyMap<string, { readonly episode: string; readonly since: Instant }>;

export interface Pace {
  readonly unheardMs: Millis;
  readonly confirmMs: Millis;
  readonly graceMs: Millis;
  readonly refreshMs: Millis;
}

export interface Compared {
  readonly tell: readonly ReadAlert[];
  readonly clear: readonly AlertDocument[];
  readonly suspects: Suspects;
}

/** How many alerts one asking may tell or clear; the rest is for the next. */
export const toldMax = 1_000;

export interface Comparison {
  readonly askedAt: Instant;
  /** By id, one each (`newestOf`). */
  readonly open: ReadonlyMap<string, ReadAlert>;
  readonly unsure: ReadonlySet<string>;
  /** Whether the answer may prove that an alert is over (R1). */
  readonly proves: boolean;
  /** Of this endpoint, firing. Read after the answer was there. */
  readonly believed: readonly AlertDocument[];
  readonly suspects: Suspects;
  readonly pace: Pace;
}

export function compare({ askedAt, open, unsure, proves, believed, suspects, pace }: Comparison): Compared {
  const missing = believed.filter((doc) => !open.has(doc.id) && !unsure.has(doc.id) && doc.seenAt <= askedAt - pace.unheardMs); // R2
  const next = new Map<string, { readonly episode: string; readonly since: Instant }>();
  const clear: AlertDocument[] = [];
  for (const doc of proves ? missing : []) {
    const before = suspects.get(doc.id);
    const since = before?.episode === doc.episode ? before.since : askedAt;
    next.set(doc.id, { episode: doc.episode, since });
    if (askedAt - since >= pace.confirmMs && clear.length < toldMax) clear.push(doc); // R1
  }
  const byId = new Map(believed.map((doc) => [doc.id, doc]));
  const tell = [...open.values()].filter(({ id, event, ours }) => ours && isNews(event, byId.get(id), askedAt, pace)).slice(0, toldMax);
  return { tell, clear, suspects: next };
}

/** R3; an unconfirmed alert is left to its source, which tells of it when it is confirmed. */
export function isNews(event: AlertEvent, doc: AlertDocument | undefined, askedAt: Instant, pace: Pick<Pace, 'refreshMs'>): boolean {
  if (event.claim !== 'firing' || event.soft === true) return false;
  if (doc === undefined) return true;
  if (doc.seenAt > askedAt) return false;
  if (doc.state === 'cleared') return true;
  if (event.episode !== doc.episode && event.episode !== '' && doc.episode !== '') return event.startedAt > doc.startedAt;
  return doc.soft || event.severity !== doc.severity || isUnmuted(event, doc) || doc.seenAt <= askedAt - pace.refreshMs;
}

/** The source holds it back no longer, and did not say so: the time was over, or the word was lost. */
function isUnmuted(event: AlertEvent, doc: AlertDocument): boolean {
  return event.sourceMute === null && doc.sourceMute !== null;
}

/** One alert for each identity: of several open episodes the one that began last, of two that began together the worse. */
export function newestOf(alerts: readonly ReadAlert[]): ReadonlyMap<string, ReadAlert> {
  const newest = new Map<string, ReadAlert>();
  for (const alert of alerts) {
    const before = newest.get(alert.id)?.event;
    const { startedAt, severity } = alert.event;
    if (before !== undefined && before.startedAt > startedAt) continue;
    if (before?.startedAt === startedAt && severityRank(before.severity) >= severityRank(severity)) continue;
    newest.set(alert.id, alert);
  }
  return newest;
}

/** The end of an alert that its source has no longer open: assumed, and dated by R2. */
export function endOf(doc: AlertDocument, askedAt: Instant, { unheardMs }: Pick<Pace, 'unheardMs'>, asked: string): AlertEvent {
  const { source, fingerprint, episode, name, summary, severity, labels, annotations, entity, startedAt, links } = doc;
  return {
    source,
    fingerprint,
    episode,
    name,
    summary,
    claim: 'cleared',
    proof: 'assumed',
    presumed: true,
    severity,
    labels,
    annotations,
    entity,
    startedAt,
    observedAt: Math.max(doc.observedAt, startedAt, askedAt - unheardMs),
    links,
    note: `not open at the source any more (asked at ${asked})`,
  };
}
