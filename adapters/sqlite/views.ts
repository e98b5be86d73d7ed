// The read model over the file: patches go to the writer, questions are answered by the read-only connection.
// Lists are ordered by (at, seq), newest first, where seq is the order of first arrival: a page boundary never doubles or skips a tie.
import type { SQLInputValue } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { TimelineEntry, ViewDoc, ViewKind, ViewPatch, ViewQuery, Views } from '../../src/ports/views.ts';
import { ask } from './ask.ts';
import type { Lanes } from './priority-queues.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';

const columns = 'seq, kind, id, scope, at, state, parent, doc';
const pruneDocsPerStep = 128;

export function viewsOver(lanes: Lanes, reader: Reader, now: () => Instant): Views {
  return {
    async apply({ cursor, partition, offset, patches, entries }) {
      const rows = patches.map(rowOf);
      const lines = entries.map(lineOf);
      const bytes = rows.reduce((sum, row) => sum + row.patch.length, 0) + lines.reduce((sum, { line }) => sum + line.length, 0);
      const request = { type: 'views', cursor: stow(cursor), partition, offset, now: now(), patches: rows, entries: lines } as const;
      await ask(lanes, { lane: 'views', request, records: 1 + rows.length + lines.length, bytes });
    },
    async get(kind, id) {
      const row = reader.get(`SELECT ${columns} FROM views WHERE kind = ? AND id = ?`, kind, stow(id));
      return row && docIn(row);
    },
    async list(query) {
      const found = rowsFor(reader, query);
      const last = found.length > query.limit ? found[query.limit - 1] : undefined;
      return { docs: found.slice(0, query.limit).map(docIn), next: last ? `${String(last['at'])}_${String(last['seq'])}` : null };
    },
    async count(kind) {
      const rows = reader.all('SELECT state, count(*) AS count FROM views WHERE kind = ? GROUP BY state', kind);
      return Object.fromEntries(rows.map((row) => [unstow(String(row['state'])), Number(row['count'])]));
    },
    async timeline(incident, after, limit) {
      const sql = 'SELECT seq, scope, line FROM timeline WHERE incident = ? AND seq > ? ORDER BY seq, scope LIMIT ?';
      return reader.all(sql, stow(incident), after, limit).map((row) => entryIn(incident, row));
    },
    async prune(before, limit) {
      let gone = 0;
      for (let step = 0; gone < limit; gone += step) {
        const docsMax = Math.min(pruneDocsPerStep, limit - gone);
        step = await ask(lanes, { lane: 'views', request: { type: 'prune', before, docsMax }, records: docsMax, bytes: 0 });
        if (step < docsMax) return gone + step;
      }
      return gone;
    },
  };
}

/** Up to `limit + 1` rows, newest first. Each state is its own walk down an index, however rare the state is. */
function rowsFor(reader: Reader, { kind, states, of, text, limit, after }: ViewQuery): readonly Row[] {
  const where = ['kind = ?'];
  const values: SQLInputValue[] = [kind];
  if (of !== undefined) {
    where.push('parent = ?');
    values.push(stow(of));
  }
  if (after !== undefined) {
    where.push('(at, seq) < (?, ?)');
    values.push(...placeIn(after));
  }
  if (text !== undefined) {
    // The needle is written as JSON writes it, since that is what it is sought in; `lower` folds ASCII only.
    where.push('instr(lower(doc), lower(?)) > 0');
    values.push(JSON.stringify(text).slice(1, -1));
  }
  const walk = (more: readonly string[], moreValues: readonly SQLInputValue[]) => {
    const sql = `SELECT ${columns} FROM views WHERE ${[...where, ...more].join(' AND ')} ORDER BY at DESC, seq DESC LIMIT ?`;
    return reader.all(sql, ...values, ...moreValues, limit + 1);
  };
  if (!states) return walk([], []);
  const rows = [...new Set(states)].flatMap((state) => walk(['state = ?'], [stow(state)]));
  return rows.sort((a, b) => Number(b['at']) - Number(a['at']) || Number(b['seq']) - Number(a['seq'])).slice(0, limit + 1);
}

function placeIn(after: string): readonly [number, number] {
  const [at, seq] = after.split('_').map(Number);
  if (at === undefined || seq === undefined || !Number.isFinite(at) || !Number.isSafeInteger(seq)) {
    throw new GatewayError('invalid_request', 'views: `after` is not a place that a list returned');
  }
  return [at, seq];
}

function rowOf({ kind, id, scope, at, state, of, patch }: ViewPatch) {
  return {
    kind,
    id: stow(id),
    scope: stow(scope),
    at: at ?? null,
    state: state === undefined ? null : stow(state),
    of: typeof of === 'string' ? stow(of) : of,
    patch: JSON.stringify(patch),
  };
}

function lineOf({ incident, seq, scope, at, type, text, detail }: TimelineEntry) {
  return { incident: stow(incident), seq, scope: stow(scope), line: JSON.stringify({ at, type, text, detail }) };
}

function entryIn(incident: string, row: Row): TimelineEntry {
  // Written by `lineOf`.
  const line = JSON.parse(String(row['line'])) as Pick<TimelineEntry, 'at' | 'type' | 'text' | 'detail'>;
  return { incident, scope: unstow(String(row['scope'])), seq: Number(row['seq']), ...line };
}

function docIn(row: Row): ViewDoc {
  return {
    kind: row['kind'] as ViewKind, // only `apply` writes it
    id: unstow(String(row['id'])),
    scope: unstow(String(row['scope'])),
    at: Number(row['at']),
    state: unstow(String(row['state'])),
    of: typeof row['parent'] === 'string' ? unstow(row['parent']) : null,
    doc: JSON.parse(String(row['doc'])),
  };
}
