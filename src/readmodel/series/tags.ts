// Words from outside as tags: short, of one line, and of bounded variety, whatever senders call their rules.
//   T1  A word is let in once and stays the same tag for ever: the words that were let in are notes, kept with the position (notes.ts).
//   T2  A tag that has all the words that it may have calls every further one `other`; the numbers stay right, only their name is lost.
import { fractionOf } from '../../core/jitter.ts';
import type { Notes } from './notes.ts';

const charsMax = 80;
/** In place of a word that there is not. */
export const noWord = 'none';
export const otherWord = 'other';

/** How many different words a tag may have, in each partition. Tags that are not here have a fixed list of words. */
export const wordsMax = { source: 100, rule: 5_000, team: 500, playbook: 1_000, ladder: 500, host: 10_000 } as const;

export type OpenTag = keyof typeof wordsMax;

/** The word as a tag. Notes what it lets in. */
export function tagFor(notes: Notes, tag: OpenTag, word: string): string {
  const clean = cleaned(word);
  if (clean === noWord || clean === otherWord) return clean;
  return notes.admit(tag, clean, wordsMax[tag]) ? clean : otherWord; // T2
}

/** One line without leading, trailing or doubled space; a word that is too long ends in a number of its own, so that it stays another word. */
export function cleaned(word: string): string {
  const line = word.replace(/[\p{C}\p{Z}\s]+/gu, ' ').trim();
  if (line.length <= charsMax) return line === '' ? noWord : line;
  const mark = Math.floor(fractionOf(line) * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  return `${[...line]
    .slice(0, charsMax - 9)
    .join('')
    .slice(0, charsMax - 9)}~${mark}`.replace(/\p{Cs}/gu, '');
}
