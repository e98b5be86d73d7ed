// What is remembered of things under way, so that the fact that ends one can tell all of it as a point. Saved with the position behind the
// facts that it comes of, in one step: reading on from there, after whatever end, gives the same points again.
//   N1  Bounded as the desks are: an incident is forgotten when its desk forgets it, pages and runs when they end, an alert
//       once what came of it is decided.
//   N2  Noting a fact twice comes to the same as once.
//   N3  A desk whose time goes back takes the instants of its notes back with it (core/clock): spans are counted on, by the time that holds now.
import type { Severity } from '../../core/alert/severity.ts';
import type { DeskSetBack } from '../../core/clock/facts.ts';
import { shifted } from '../../core/clock/rebase.ts';
import type { Instant } from '../../core/time.ts';

/** What an alert lends to everything about it. */
export interface Origin {
  readonly source: string;
  readonly rule: string;
  readonly team: string;
  readonly host: string;
}

export interface AlertNote extends Origin {
  readonly severity: Severity;
}

/** Of notes that hold instants: whose desk they are of; missing in those that were kept before it was noted. */
interface OfDesk {
  readonly scope?: string;
}

export interface IncidentNote extends Origin, OfDesk {
  /** The gravest that it was. */
  readonly severity: Severity;
  readonly storm: boolean;
  readonly openedAt: Instant;
  readonly lifeAt: Instant;
  /** When the first of it began, by its source. */
  readonly startedAt: Instant | null;
  readonly members: number;
  readonly acknowledgedAt: Instant | null;
  readonly mitigatedAt: Instant | null;
  /** Pages of this life, the first so many. */
  readonly pages: readonly string[];
  /** A person acknowledged it, or answered for a run of it. */
  readonly touched: boolean;
  /** That acted last. */
  readonly playbook: string;
}

export interface RunNote extends OfDesk {
  readonly incident: string;
  readonly playbook: string;
  readonly mode: string;
  readonly startedAt: Instant;
  readonly acted: boolean;
  readonly approved: boolean;
}

export interface PageNote extends OfDesk {
  readonly incident: string;
  readonly ladder: string;
  readonly openedAt: Instant;
  readonly rings: number;
  readonly acknowledgedAt: Instant | null;
  readonly by: string;
}

interface NoteByKind {
  readonly alert: AlertNote;
  readonly incident: IncidentNote;
  readonly run: RunNote;
  readonly page: PageNote;
}

export type NoteKind = keyof NoteByKind;

/** One note as it is kept: JSON text by its key; null takes it away. */
export interface NoteRow {
  readonly key: string;
  readonly note: string | null;
}

/** The notes of one partition. */
export interface Notes {
  get<Kind extends NoteKind>(kind: Kind, id: string): NoteByKind[Kind] | null;
  put<Kind extends NoteKind>(kind: Kind, id: string, note: NoteByKind[Kind]): void;
  drop(kind: NoteKind, id: string): void;
  /** N3 */
  setBack(back: DeskSetBack): void;
  /** Whether the word is one of those that the tag may have; a new one is let in while there is room. */
  admit(tag: string, word: string, max: number): boolean;
  /** What has changed since it was asked last. */
  changes(): readonly NoteRow[];
  /** They could not be kept: they are changes still. */
  keep(changes: readonly NoteRow[]): void;
  /** How many there are. */
  size(): number;
}

const wordKind = 'word';

export function createNotes(kept: Iterable<NoteRow> = []): Notes {
  const rows = new Map<string, unknown>();
  const words = new Map<string, Set<string>>();
  const changed = new Set<string>();

  function wordsFor(tag: string): Set<string> {
    const known = words.get(tag) ?? new Set();
    words.set(tag, known);
    return known;
  }

  for (const { key, note } of kept) {
    if (note === null) continue;
    const [kind, first = '', word = ''] = JSON.parse(key) as readonly string[]; // as `keyOf` wrote it
    if (kind === wordKind) wordsFor(first).add(word);
    rows.set(key, JSON.parse(note));
  }

  function set(key: string, note: unknown): void {
    rows.set(key, note);
    changed.add(key);
  }

  return {
    get: <Kind extends NoteKind>(kind: Kind, id: string) => (rows.get(keyOf(kind, id)) ?? null) as NoteByKind[Kind] | null, // `put` wrote it under its kind
    put: (kind, id, note) => set(keyOf(kind, id), note),
    drop(kind, id) {
      const key = keyOf(kind, id);
      if (rows.delete(key)) changed.add(key);
    },
    setBack(back) {
      for (const [key, note] of rows) {
        const after = noteAfter(note, back);
        if (after !== null) set(key, after);
      }
    },
    admit(tag, word, max) {
      const known = wordsFor(tag);
      if (known.has(word)) return true;
      if (known.size >= max) return false;
      known.add(word);
      set(keyOf(wordKind, tag, word), 1);
      return true;
    },
    changes() {
      const all = [...changed].map((key) => ({ key, note: rows.has(key) ? JSON.stringify(rows.get(key)) : null }));
      changed.clear();
      return all;
    },
    keep(changes) {
      for (const { key } of changes) changed.add(key);
    },
    size: () => rows.size,
  };
}

/** The members of notes that are instants, by whichever kind. */
const instants = ['openedAt', 'lifeAt', 'startedAt', 'acknowledgedAt', 'mitigatedAt'] as const;

/** Null for a note of another desk, or without instants. */
function noteAfter(note: unknown, back: DeskSetBack): object | null {
  if (typeof note !== 'object' || note === null || !('scope' in note) || note.scope !== back.scope) return null;
  const before: { readonly [member: string]: unknown } = { ...note };
  return {
    ...note,
    ...Object.fromEntries(
      instants.flatMap((name) => {
        const at = before[name];
        return typeof at === 'number' ? [[name, shifted(at, back)]] : [];
      }),
    ),
  };
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
