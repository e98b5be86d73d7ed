// The pure parts of failing open: the book, what is remembered as decided, and how many pages go out. All together over time: failopen.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertDecided } from '../../../src/core/decide/facts.ts';
import { minute, second } from '../../../src/core/time.ts';
import { createBook, type Book, type Entry, type Undecided } from '../../../src/engine/failopen/book.ts';
import { createDecided } from '../../../src/engine/failopen/decided.ts';
import { createPacing } from '../../../src/engine/failopen/pacing.ts';
import { eventOf } from '../../support/event.ts';

function entry(fingerprint: string, since = 0, observedAt = 0): Entry {
  return { scope: 's', event: { ...eventOf(), fingerprint, observedAt }, since, at: since, mayRepeat: false, place: 1 };
}

function written(book: Book, fingerprint: string, since = 0): Undecided {
  const row = book.write(entry(fingerprint, since));
  assert.ok(row !== null);
  row.accepted = true;
  return row;
}

test('O1: an alert that is told of again keeps its row, and the newest time its source saw it', () => {
  const book = createBook(10);
  const row = book.write(entry('a', 0, 5));
  assert.equal(book.write(entry('a', 7, 9)), row);
  assert.equal(book.write(entry('a', 7, 3)), row);
  assert.deepEqual([row?.since, row?.observedAt, book.waiting], [0, 9, 1]);
});

test('O1: what is due goes to the paged ones once, oldest first, and only when it was accepted', () => {
  const book = createBook(10);
  const [old, young] = [written(book, 'old', 1), written(book, 'young', 3)];
  const open = book.write(entry('open', 3));
  assert.deepEqual(book.takeDue(0), []);
  assert.deepEqual(book.takeDue(3), [old, young]);
  assert.deepEqual(book.takeDue(3), []);
  assert.deepEqual([book.isPaged(old), book.isWaiting(old), book.oldestPaged(), book.oldest()], [true, false, old, open]);
});

test('O3: beyond its bound alerts are counted, those paged included in the bound, until the book is empty', () => {
  const book = createBook(2);
  written(book, 'a');
  written(book, 'b');
  book.takeDue(0);
  assert.equal(book.write(entry('c')), null);
  assert.equal(book.write(entry('d')), null);
  book.forget('s|a');
  assert.equal(book.beyond, 2);
  book.forget('s|b');
  assert.equal(book.beyond, 0);
});

test('a delivery is remembered as decided up to the index that was decided last', () => {
  const decided = createDecided();
  const fact = { scope: 's', fingerprint: 'a', delivery: 'd1', index: 3 } as AlertDecided;
  const alert = (delivery: string, index: number) => ({
    type: 'AlertSeen' as const,
    scope: 's',
    endpoint: 'e',
    delivery,
    index,
    event: { ...eventOf(), fingerprint: 'a' },
  });
  assert.equal(decided.has(alert('d1', 3)), false);
  decided.note(fact);
  assert.deepEqual([decided.has(alert('d1', 3)), decided.has(alert('d1', 4)), decided.has(alert('d2', 3))], [true, false, false]);
});

test('what was decided is remembered for as many decisions more as the bound says, and no longer than twice as many', () => {
  const decided = createDecided(10);
  const note = (number: number): void => decided.note({ scope: 's', fingerprint: 'a', delivery: `d${number}`, index: 0 } as AlertDecided);
  const has = (number: number): boolean =>
    decided.has({
      type: 'AlertSeen',
      scope: 's',
      endpoint: 'e',
      delivery: `d${number}`,
      index: 0,
      event: { ...eventOf(), fingerprint: 'a' },
    });
  for (let number = 0; number < 30; number += 1) {
    note(number);
    for (let before = Math.max(0, number - 9); before <= number; before += 1) assert.equal(has(before), true, `${before} after ${number}`);
  }
  assert.equal(has(9), false);
});

test('O2: ten alerts are paged one by one in five minutes, the others in one page ten seconds later', () => {
  const pacing = createPacing();
  for (let number = 0; number < 10; number += 1) assert.equal(pacing.takeSingle(`a${number}`, 0), true);
  assert.equal(pacing.takeSingle('b', 1 * second), false);
  assert.equal(pacing.takeSingle('c', 5 * second), false);
  assert.equal(pacing.restDue, 11 * second);
  pacing.forget('c');
  assert.deepEqual(pacing.takeRest(), ['b']);
  assert.equal(pacing.restDue, null);
  pacing.sent(11 * second);
  assert.equal(pacing.takeSingle('d', 12 * second), false);
  assert.equal(pacing.restDue, 11 * second + 5 * minute, 'one counting page in five minutes');
  assert.equal(pacing.takeSingle('e', 5 * minute), true);
});

test('O3: those beyond the bound get the time that others get, before the page that counts them', () => {
  const pacing = createPacing();
  pacing.expectMore(2 * minute, 0);
  pacing.expectMore(2 * minute, 30 * second);
  assert.equal(pacing.restDue, 2 * minute + 10 * second);
});
