// Checkpoints, cursors and dead letters over the file.
import { GatewayError } from '../../src/core/errors.ts';
import type { Checkpoints, DeskRow } from '../../src/ports/checkpoints.ts';
import type { Cursors } from '../../src/ports/cursors.ts';
import type { DeadLetter, DeadLetters } from '../../src/ports/dead-letters.ts';
import { ask } from './ask.ts';
import type { Lanes } from './priority-queues.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';

const loadRowsPerChunk = 1_000;

export function checkpointsOver(lanes: Lanes, reader: Reader): Checkpoints {
  return {
    async save(partition, { inputs, facts }, rows) {
      const plain = rows.map(({ scope, table, key, doc }) => ({
        scope: stow(scope),
        table: stow(table),
        key: stow(key),
        doc: doc === null ? null : JSON.stringify(doc),
      }));
      const bytes = plain.reduce((sum, row) => sum + row.scope.length + row.key.length + (row.doc?.length ?? 0), 0);
      const request = { type: 'checkpoint', partition, inputs, facts, rows: plain } as const;
      await ask(lanes, { lane: 'state', request, records: 1 + rows.length, bytes });
    },
    async load(partition, take) {
      return reader.atOnce(() => {
        const mark = reader.get('SELECT inputs, facts FROM marks WHERE partition = ?', partition);
        if (!mark) return null;
        let chunk: DeskRow[] = [];
        for (const row of reader.each('SELECT scope, tab, key, doc FROM desks WHERE partition = ?', partition)) {
          chunk.push({
            scope: unstow(String(row['scope'])),
            table: unstow(String(row['tab'])),
            key: unstow(String(row['key'])),
            doc: JSON.parse(String(row['doc'])),
          });
          if (chunk.length < loadRowsPerChunk) continue;
          take(chunk);
          chunk = [];
        }
        if (chunk.length > 0) take(chunk);
        return { inputs: Number(mark['inputs']), facts: Number(mark['facts']) };
      });
    },
  };
}

export function cursorsOver(lanes: Lanes, reader: Reader): Cursors {
  return {
    async load(name, partition) {
      const row = reader.get('SELECT position FROM cursors WHERE name = ? AND partition = ?', stow(name), partition);
      return Number(row?.['position'] ?? 0);
    },
    async save(name, partition, offset) {
      await ask(lanes, { lane: 'state', request: { type: 'cursor', name: stow(name), partition, offset }, records: 1, bytes: name.length });
    },
  };
}

/** By the index letters_endpoint. */
const ofEndpoints = "json_extract(doc, '$.endpoint') IN (SELECT value FROM json_each(?))";

/** Newest first in lists; a second letter with a known id is the same letter; marking one that is gone does nothing. */
export function deadLettersOver(lanes: Lanes, reader: Reader): DeadLetters {
  return {
    async add(letter) {
      const doc = JSON.stringify(letter);
      const request = { type: 'letter', id: stow(letter.id), state: letter.state, bytes: doc.length, doc } as const;
      await ask(lanes, { lane: 'state', request, records: 1, bytes: doc.length });
    },
    async list({ limit, after, endpoints }) {
      const below = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
      if (!Number.isSafeInteger(below))
        throw new GatewayError('invalid_request', 'dead letters: `after` is not a place that a list returned');
      const rows =
        endpoints === undefined
          ? reader.all('SELECT seq, state, doc FROM letters WHERE seq < ? ORDER BY seq DESC LIMIT ?', below, limit + 1)
          : reader.all(
              `SELECT seq, state, doc FROM letters WHERE seq < ? AND ${ofEndpoints} ORDER BY seq DESC LIMIT ?`,
              below,
              JSON.stringify(endpoints),
              limit + 1,
            );
      const next = rows.length > limit ? String(rows[limit - 1]?.['seq']) : null;
      return { letters: rows.slice(0, limit).map(letterIn), next };
    },
    async get(id) {
      const row = reader.get('SELECT state, doc FROM letters WHERE id = ?', stow(id));
      return row && letterIn(row);
    },
    async mark(id, state) {
      await ask(lanes, { lane: 'state', request: { type: 'mark', id: stow(id), state }, records: 1, bytes: id.length });
    },
    async count(endpoints) {
      const row =
        endpoints === undefined
          ? reader.get('SELECT count(*) AS count FROM letters')
          : reader.get(`SELECT count(*) AS count FROM letters WHERE ${ofEndpoints}`, JSON.stringify(endpoints));
      return Number(row?.['count'] ?? 0);
    },
  };
}

function letterIn(row: Row): DeadLetter {
  // Written by `add`, so the document is a letter and the state one of its three words.
  return { ...(JSON.parse(String(row['doc'])) as DeadLetter), state: row['state'] as DeadLetter['state'] };
}
