// A journal in memory: what is written is there for the next that is opened on the same records, as a file would have it.
import type { Journal, JournalEntry } from '../../src/ports/journal.ts';

const recordsMax = 2_000;

/** `records` outlive the journal; texts, so that nothing is shared with whoever wrote. */
export function memoryJournal(records: Map<string, string>): Journal {
  const left: readonly JournalEntry[] = [...records].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
  return {
    left,
    async write({ key, value }) {
      records.delete(key);
      records.set(key, JSON.stringify(value));
      const [oldest] = records.keys();
      if (records.size > recordsMax && oldest !== undefined) records.delete(oldest); // J2
    },
    async strike(key) {
      records.delete(key);
    },
    close: async () => {},
  };
}
