// What every journal keeps to, whatever it is made of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '../../src/ports/journal.ts';

/** `open` opens the same records again each time; the journal before was closed, or its process is gone. */
export function testJournal(name: string, fresh: () => { readonly open: () => Promise<Journal>; readonly remove: () => void }): void {
  const keysOf = ({ left }: Journal): readonly string[] => left.map(({ key }) => key);

  test(`${name}, J1: what was written and not struck is there for the next life, the oldest first`, async (t) => {
    const { open, remove } = fresh();
    t.after(remove);
    const first = await open();
    assert.deepEqual(first.left, []);
    await first.write({ key: 'a', value: { says: 1 } });
    await first.write({ key: 'b', value: { says: 'two\nlines' } });
    await first.write({ key: 'c', value: { says: 3 } });
    await first.write({ key: 'a', value: { says: 4 } });
    await first.strike('c');
    await first.strike('never there');
    const second = await open(); // nobody closed the first
    assert.deepEqual(second.left, [
      { key: 'b', value: { says: 'two\nlines' } },
      { key: 'a', value: { says: 4 } },
    ]);
    await second.strike('b');
    await second.close();
    const third = await open();
    assert.deepEqual(keysOf(third), ['a']);
    await Promise.all([first.close(), third.close()]);
  });

  test(`${name}, J2: of more than 2,000 the oldest are forgotten`, async (t) => {
    const { open, remove } = fresh();
    t.after(remove);
    const first = await open();
    await Promise.all(Array.from({ length: 2_010 }, (_, number) => first.write({ key: `k${number}`, value: {} })));
    const second = await open();
    const keys = keysOf(second);
    assert.deepEqual([keys.length, keys[0], keys.at(-1)], [2_000, 'k10', 'k2009']);
    await Promise.all([first.close(), second.close()]);
  });
}
