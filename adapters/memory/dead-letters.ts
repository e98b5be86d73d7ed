// Dead letters over a memory disk.
import { GatewayError } from '../../src/core/errors.ts';
import { letterPage, type DeadLetter, type DeadLetters } from '../../src/ports/dead-letters.ts';
import type { Content } from './disk.ts';
import type { WriteQueue } from './queue.ts';

const unavailable = 'store_unavailable';

/** Newest first in lists; a second letter with a known id is the same letter; marking one that is gone does nothing. */
export function memoryDeadLetters(
  content: Content,
  queue: WriteQueue,
  { lettersMax, letterBytesMax }: { readonly lettersMax: number; readonly letterBytesMax: number },
): DeadLetters {
  const { letters } = content; // insertion order is age

  function shrink(): void {
    let bytes = [...letters.values()].reduce((sum, { body }) => sum + body.length, 0);
    for (const [id, { body }] of letters) {
      if (letters.size <= 1 || (letters.size <= lettersMax && bytes <= letterBytesMax)) return;
      letters.delete(id);
      bytes -= body.length;
    }
  }

  function letterOf({ body, state }: { readonly body: string; readonly state: DeadLetter['state'] }): DeadLetter {
    return { ...(JSON.parse(body) as DeadLetter), state }; // written by `add`
  }

  function isOf(letter: { readonly body: string; readonly state: DeadLetter['state'] }, endpoints: readonly string[] | undefined): boolean {
    return endpoints === undefined || endpoints.includes(letterOf(letter).endpoint);
  }

  return {
    async add(letter) {
      const body = JSON.stringify(letter);
      await queue.submit({ records: 1, bytes: body.length, unavailable }, () => {
        if (letters.has(letter.id)) return;
        content.arrivals += 1;
        letters.set(letter.id, { seq: content.arrivals, body, state: letter.state });
        shrink();
      });
    },
    async list({ limit, after, endpoints }) {
      const below = after === undefined ? Infinity : Number(after);
      if (Number.isNaN(below)) throw new GatewayError('invalid_request', 'dead letters: `after` is not a place that a list returned');
      return queue.read(() => {
        const older = [...letters.values()].filter((letter) => letter.seq < below && isOf(letter, endpoints)).toReversed();
        const page = older.slice(
          0,
          letterPage(
            older.slice(0, limit).map(({ body }) => body.length),
            limit,
          ),
        );
        return { letters: page.map(letterOf), next: older.length > page.length ? String(page.at(-1)?.seq) : null };
      });
    },
    get: (id) =>
      queue.read(() => {
        const letter = letters.get(id);
        return letter ? letterOf(letter) : null;
      }),
    mark: (id, state) =>
      queue.submit({ records: 1, bytes: 0, unavailable }, () => {
        const letter = letters.get(id);
        if (letter) letter.state = state;
      }),
    count: (endpoints) => queue.read(() => [...letters.values()].filter((letter) => isOf(letter, endpoints)).length),
  };
}
