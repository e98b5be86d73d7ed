// Dead letters over the file. How many are kept is the writer's business (letter-writer.ts).
import { GatewayError } from '../../src/core/errors.ts';
import { letterPage, type DeadLetter, type DeadLetters } from '../../src/ports/dead-letters.ts';
import { ask } from './ask.ts';
import type { LogQueues } from './lanes.ts';
import type { Reader, Row } from './reader.ts';
import { parsed, stow } from './text.ts';

/** By the index letters_endpoint. */
const ofEndpoints = "json_extract(doc, '$.endpoint') IN (SELECT value FROM json_each(?))";

/** Newest first in lists; a second letter with a known id is the same letter; marking one that is gone does nothing. */
export function deadLettersOver(queues: LogQueues, reader: Reader): DeadLetters {
  return {
    async add(letter) {
      // The writer makes one text of it: of a body of 16 MB that takes a tenth of a second.
      const request = { type: 'letter', id: stow(letter.id), letter } as const;
      await ask(queues, { priority: 'letters', request, records: 1, bytes: letter.body.length });
    },
    async list({ limit, after, endpoints }) {
      const below = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
      if (!Number.isSafeInteger(below))
        throw new GatewayError('invalid_request', 'dead letters: `after` is not a place that a list returned');
      const places =
        endpoints === undefined
          ? reader.all('SELECT seq, bytes FROM letters WHERE seq < ? ORDER BY seq DESC LIMIT ?', below, limit + 1)
          : reader.all(
              `SELECT seq, bytes FROM letters WHERE seq < ? AND ${ofEndpoints} ORDER BY seq DESC LIMIT ?`,
              below,
              JSON.stringify(endpoints),
              limit + 1,
            );
      const count = letterPage(
        places.map(({ bytes }) => Number(bytes)),
        limit,
      );
      const seqs = places.slice(0, count).map(({ seq }) => Number(seq));
      const rows = reader.all(
        'SELECT state, doc FROM letters WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq DESC',
        JSON.stringify(seqs),
      );
      return { letters: rows.map(letterIn), next: places.length > count ? String(seqs.at(-1)) : null };
    },
    async get(id) {
      const row = reader.get('SELECT state, doc FROM letters WHERE id = ?', stow(id));
      return row && letterIn(row);
    },
    async mark(id, state) {
      await ask(queues, { priority: 'letters', request: { type: 'mark', id: stow(id), state }, records: 1, bytes: id.length });
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
  return { ...(parsed(String(row['doc']), 'store_unavailable') as DeadLetter), state: row['state'] as DeadLetter['state'] };
}
