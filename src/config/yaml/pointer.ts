// JSON pointers (RFC 6901): places within a document, as the checks name them and as files are told about. Loads no package: commands use it.
import type { Json } from '../../core/json.ts';

/** One member below a pointer. */
export function below(pointer: string, member: string | number): string {
  return `${pointer}/${escaped(String(member))}`;
}

/** The member of a list or mapping, undefined where there is none. */
export function memberOf(value: unknown, member: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) return undefined;
  return (value as Record<string | number, unknown>)[member];
}

/** The members of a pointer. */
export function membersOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((member) => member.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function escaped(member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** `/steps/0/with` as `steps[0].with`. */
export function pathOf(pointer: string): string {
  return membersOf(pointer)
    .map((member, index) => (/^[0-9]+$/.test(member) ? `[${member}]` : `${index === 0 ? '' : '.'}${member}`))
    .join('');
}

/** Every text of a value, with the pointer to it. */
export function textsOf(value: Json, pointer = ''): readonly { readonly pointer: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ pointer, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => textsOf(member as Json, below(pointer, key)));
}
