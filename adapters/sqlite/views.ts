// The read model over the file: patches go to the writer, questions are answered by the read-only connection.
// Lists are viewlists.ts; the tables are viewtables.ts.
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Instant } from '../../src/core/time.ts';
import type { ViewPage, Views } from '../../src/ports/views.ts';
import { states, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { asked, sees, sortOf, type ViewQuery } from '../../src/readmodel/query.ts';
import { textOfPlace } from '../../src/readmodel/place.ts';
import type { TimelineEntry } from '../../src/readmodel/timeline.ts';
import { ask } from './ask.ts';
import type { StateQueues } from './lanes.ts';
import type { Reader, Row } from './reader.ts';
import { parsed, stow, unstow } from './text.ts';
import { placesFor } from './viewlists.ts';

/** Of one stretch of the main thread. */
const patchesPerSlice = 64;
const pruneDocsPerStep = 128;

export function viewsOver(queues: StateQueues, reader: Reader, now: () => Instant): Views {
  return {
    async apply({ cursor, partition, offset, patches, entries }) {
      const rows: string[] = [];
      for (const patch of patches) {
        rows.push(JSON.stringify(patch));
        if (rows.length % patchesPerSlice === 0) await nextRound(); // deliveries go first
      }
      const lines: ReturnType<typeof rowOf>[] = [];
      for (const entry of entries) {
        lines.push(rowOf(entry));
        if (lines.length % patchesPerSlice === 0) await nextRound();
      }
      const bytes = rows.reduce((sum, row) => sum + row.length, 0) + lines.reduce((sum, { line }) => sum + line.length, 0);
      const request = { type: 'views', cursor: stow(cursor), partition, offset, now: now(), patches: rows, entries: lines } as const;
      await ask(queues, { priority: 'views', request, records: 1 + rows.length + lines.length, bytes });
    },
    async get(kind, id, scopes) {
      // The document is not read before it is known to be theirs: a long one would be missing for longer than one that is not there.
      const held = reader.get('SELECT seq, scope FROM views WHERE kind = ? AND id = ?', kind, stow(id));
      if (held === null || !sees(scopes, unstow(String(held['scope'])))) return null;
      const row = reader.get('SELECT children, doc FROM views WHERE seq = ?', held['seq'] ?? null);
      return row === null ? null : docIn(kind, row);
    },
    async list<Kind extends DocumentKind>(question: ViewQuery<Kind>): Promise<ViewPage<Kind>> {
      const query = asked(question);
      return reader.atOnce(() => {
        const { places, next } = placesFor(reader, query);
        const rows = places.map(({ seq }) => reader.get('SELECT children, doc FROM views WHERE seq = ?', seq));
        const items = rows.flatMap((row) => (row === null ? [] : [docIn<Kind>(question.kind, row)]));
        return { items, next: next === null ? null : textOfPlace(next, sortOf(query)) };
      });
    },
    async count(kind, scopes) {
      const rows = reader.all('SELECT scope, state, count FROM tallies WHERE kind = ?', kind);
      const seen = rows.filter((row) => sees(scopes, unstow(String(row['scope']))));
      const counts = states[kind].map((state) => [
        state,
        seen.filter((row) => row['state'] === state).reduce((sum, row) => sum + Number(row['count']), 0),
      ]);
      return Object.fromEntries(counts);
    },
    async timeline({ incident, scopes, after, limit }) {
      return linesFor(reader, { incident: stow(incident), scopes, after, limit }).map((row) => entryIn(incident, row));
    },
    async prune(before, limit) {
      let gone = 0;
      for (let step = 0; gone < limit; gone += step) {
        const docsMax = Math.min(pruneDocsPerStep, limit - gone);
        step = await ask(queues, { priority: 'views', request: { type: 'prune', before, docsMax }, records: docsMax, bytes: 0 });
        if (step < docsMax) return gone + step;
      }
      return gone;
    },
  };
}

function linesFor(reader: Reader, story: Parameters<Views['timeline']>[0]): readonly Row[] {
  const sql = 'SELECT seq, scope, line FROM timeline WHERE incident = ? AND seq > ?';
  const { incident, scopes, after, limit } = story;
  if (scopes === 'all') return reader.all(`${sql} ORDER BY seq, scope LIMIT ?`, incident, after, limit);
  const among = 'SELECT value FROM json_each(?)';
  const seen = JSON.stringify(scopes.map(stow));
  return reader.all(`${sql} AND scope IN (${among}) ORDER BY seq, scope LIMIT ?`, incident, after, seen, limit);
}

function rowOf({ incident, seq, scope, at, type, text, detail }: TimelineEntry) {
  return { incident: stow(incident), seq, scope: stow(scope), line: JSON.stringify({ at, type, text, detail }) };
}

function entryIn(incident: string, row: Row): TimelineEntry {
  // Written by `rowOf`.
  const line = parsed(String(row['line']), 'store_unavailable') as Pick<TimelineEntry, 'at' | 'type' | 'text' | 'detail'>;
  return { incident, scope: unstow(String(row['scope'])), seq: Number(row['seq']), ...line };
}

function docIn<Kind extends DocumentKind>(kind: Kind, row: Row): DocumentByKind[Kind] {
  const doc = parsed(String(row['doc']), 'store_unavailable') as DocumentByKind[Kind]; // as the writer wrote it
  return kind === 'incident' ? { ...doc, children: Number(row['children']) } : doc;
}
