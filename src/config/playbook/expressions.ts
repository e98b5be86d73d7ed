// What the loader asks of the expression language; adapters/cel answers it.
// Checks of single expressions and references: names, fields, kinds. Places and their order are lint.ts.
import type { Result } from '../../core/errors.ts';
import type { Param } from '../../core/playbook/document.ts';
import { didYouMean } from '../yaml/problems.ts';
import { alertNames, incidentNames, type Root } from './names.ts';

export interface ExpressionChecker {
  /** Type of the text, and the paths it reads, when each name may hold anything. Says why not in one sentence. */
  check(text: string, names: readonly string[]): Result<{ readonly type: string; readonly reads: readonly (readonly string[])[] }, string>;
  /** Why a pattern is not accepted, or null. */
  patternProblem(pattern: string): string | null;
}

/** What an expression at some place may read. */
export interface Scope {
  readonly roots: readonly Root[];
  readonly params: { readonly [name: string]: { readonly type: Param['type'] } };
  /** Ids whose output is there by then. */
  readonly done: readonly string[];
  /** Ids that come later or at the same time. */
  readonly later: readonly string[];
}

/** Everything wrong with one expression; `condition` asks for true or false. */
export function expressionFaults(text: string, scope: Scope, checker: ExpressionChecker, kind: 'condition' | 'value'): readonly string[] {
  const checked = checker.check(text, scope.roots);
  if (!checked.ok) return [`expected CEL over ${scope.roots.join(', ')}, seen "${clip(text)}": ${checked.error}`];
  const { type, reads } = checked.value;
  const faults = reads.flatMap((path) => readFault(path, scope));
  if (kind === 'condition' && type !== 'bool' && type !== 'dyn')
    faults.push(`expected a condition, true or false; seen "${clip(text)}", which is ${type}`);
  return [...new Set(faults)];
}

function readFault([root, first]: readonly string[], scope: Scope): readonly string[] {
  if (first === undefined || root === undefined) return [];
  const unknown = (what: string, known: readonly string[], advice: string): readonly string[] =>
    known.includes(first) ? [] : [`${what}${didYouMean(first, known) || advice}`];
  switch (root) {
    case 'alert':
      return unknown(`an alert has no "${first}"`, alertNames, `; it has ${alertNames.join(', ')}`);
    case 'incident':
      return unknown(`an incident has no "${first}"`, incidentNames, `; it has ${incidentNames.join(', ')}`);
    case 'params': {
      const declared = Object.keys(scope.params);
      return unknown(`params.${first} is not declared`, declared, '; declare it under params');
    }
    case 'steps':
      if (scope.later.includes(first)) return [`steps.${first} has no result yet here: it runs later; refer to an earlier step`];
      return unknown(
        `there is no step "${first}"`,
        scope.done,
        scope.done.length === 0 ? '; nothing ran before this' : `; before this ran ${scope.done.join(', ')}`,
      );
    default:
      return [];
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
