// What the end of an incident's last playbook means for whoever waits for it.
import { ends, type Outcome } from '../core/run/ends.ts';

/** Whether the playbook did what was needed; a word that this version does not know did not. */
export function hasHelped(end: string): boolean {
  return isOutcome(end) && ends[end].helped;
}

export function isOutcome(word: string): word is Outcome {
  return Object.hasOwn(ends, word);
}
