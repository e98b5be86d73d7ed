// What the checks of a playbook share: what they know, and how they complain.
import { hour, second } from '../../core/time.ts';
import type { ActionDeclaration } from '../../ports/action.ts';
import { parseSpan } from '../yaml/duration.ts';
import type { ExpressionChecker } from './expressions.ts';

export interface PlaybookDeps {
  readonly actions: readonly ActionDeclaration[];
  readonly expressions: ExpressionChecker;
}

/** One complaint, by JSON pointer. */
export interface Fault {
  readonly pointer: string;
  readonly message: string;
}

/** A span outside its bounds; one that is no span at all was refused by the schema, except when it is too long to count. */
export function spanFaults(
  text: string | undefined,
  pointer: string,
  bounds: { readonly min: number; readonly max: number },
): readonly Fault[] {
  if (text === undefined) return [];
  const ms = parseSpan(text);
  if (ms !== null && ms >= bounds.min && ms <= bounds.max) return [];
  return [{ pointer, message: `expected ${bounds.min / second} s to ${bounds.max / hour} h, seen ${text}` }];
}
