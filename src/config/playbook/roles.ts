// What the members of an action's input are, read off the keyword `x-quench` in the action's own schema (ports/action.ts).
// The only thing that the loader of playbooks knows of an action's input; which action it is does not matter here.
//   R1  A role of a member holds for everything inside it.
//   R2  Of several roles at one place the strictest holds: a schema may describe a place twice (allOf, oneOf, if).
//   R3  A reference that stands for a whole mapping or list has the strictest role of all that may be inside.
import type { MemberRole } from '../../ports/action.ts';
import { memberOf } from '../yaml/pointer.ts';

const strictness: readonly (MemberRole | null)[] = [null, 'address', 'argument', 'program'];
/** Keywords whose schemas describe the same place once more. */
const again = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else', 'not'] as const;
/** Keywords for members that no other keyword speaks of. */
const others = ['additionalProperties', 'unevaluatedProperties'] as const;
const items = ['items', 'unevaluatedItems', 'contains'] as const;
const levelsMax = 40;

/** The strictest role at a place of the input, or inside it; null when the value may be anything. */
export function roleAt(schema: unknown, place: readonly string[]): MemberRole | null {
  const roles = [...rolesAlong(schema, place, 0)].map((role) => strictness.indexOf(role));
  return strictness[Math.max(0, ...roles)] ?? null; // R2
}

/** Roles on the way to the place (R1), and of everything inside it (R3). */
function* rolesAlong(schema: unknown, [member, ...rest]: readonly string[], level: number): Generator<MemberRole | null> {
  if (level > levelsMax || typeof schema !== 'object' || schema === null) return;
  const own = memberOf(schema, 'x-quench');
  yield strictness.find((role) => role === own) ?? null;
  const place = member === undefined ? [] : [member, ...rest];
  for (const same of sameAgain(schema)) yield* rolesAlong(same, place, level + 1);
  for (const next of member === undefined ? everyMember(schema) : membersNamed(schema, member)) yield* rolesAlong(next, rest, level + 1);
}

function sameAgain(schema: object): readonly unknown[] {
  return [...again.flatMap((keyword) => memberOf(schema, keyword)), ...valuesOf(memberOf(schema, 'dependentSchemas'))];
}

/** Schemas that describe the member of this name or index. */
function membersNamed(schema: object, member: string): readonly unknown[] {
  const patterns = Object.entries(memberOf(schema, 'patternProperties') ?? {}).filter(([pattern]) => new RegExp(pattern, 'u').test(member));
  const named = [memberOf(memberOf(schema, 'properties'), member), ...patterns.map(([, each]) => each as unknown)];
  const known = named.filter((each) => each !== undefined);
  return [
    ...(known.length > 0 ? known : others.map((keyword) => memberOf(schema, keyword))),
    memberOf(memberOf(schema, 'prefixItems'), member),
    ...items.map((keyword) => memberOf(schema, keyword)),
  ];
}

function everyMember(schema: object): readonly unknown[] {
  const named = ['properties', 'patternProperties', 'prefixItems'].flatMap((keyword) => valuesOf(memberOf(schema, keyword)));
  return [...named, ...[...others, ...items].map((keyword) => memberOf(schema, keyword))];
}

function valuesOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
