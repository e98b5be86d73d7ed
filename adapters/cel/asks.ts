// What a condition asks for with certainty, read off its tree: `alert.name == "Down" && …` holds only where the name is `Down`.
//   A1  Careful before clever: where the condition holds, the value under each path is one of the texts. What is not understood asks for nothing.
import type { ASTNode } from '@marcbachmann/cel-js';
import type { Asks } from '../../src/core/playbook/expressions.ts';

/** Every certain question of the condition; all of them must be answered for it to hold. */
export function asksOf(node: ASTNode): readonly Asks[] {
  switch (node.op) {
    case '&&':
      return node.args.flatMap(asksOf);
    case '||':
      return eitherOf(asksOf(node.args[0]), asksOf(node.args[1]));
    case '==':
      return asked(node.args[0], [node.args[1]]) ?? asked(node.args[1], [node.args[0]]) ?? [];
    case 'in':
      return node.args[1].op === 'list' ? (asked(node.args[0], node.args[1].args) ?? []) : [];
    default:
      return [];
  }
}

/** What both sides ask of the same path: then the value is a text of the one or of the other. */
function eitherOf(left: readonly Asks[], right: readonly Asks[]): readonly Asks[] {
  return left.flatMap(({ path, values }) => {
    const other = right.find((one) => one.path.length === path.length && one.path.every((part, at) => part === path[at]));
    return other === undefined ? [] : [{ path, values: [...values, ...other.values] }];
  });
}

function asked(of: ASTNode, texts: readonly ASTNode[]): readonly Asks[] | null {
  const path = plainPath(of);
  if (path === null || path.length < 2) return null;
  const values = texts.flatMap((text) => (text.op === 'value' && typeof text.args === 'string' ? [text.args] : []));
  return values.length === texts.length ? [{ path, values }] : null;
}

/** `a.b["c"]` as `['a', 'b', 'c']`, where each part must be there; null for anything else. */
function plainPath(node: ASTNode): readonly string[] | null {
  if (node.op === 'id') return [node.args];
  const part = node.op === '.' ? node.args[1] : node.op === '[]' && node.args[1].op === 'value' ? node.args[1].args : null;
  if (typeof part !== 'string' || (node.op !== '.' && node.op !== '[]')) return null;
  const before = plainPath(node.args[0]);
  return before === null ? null : [...before, part];
}
