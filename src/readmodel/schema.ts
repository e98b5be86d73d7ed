// Building blocks of JSON Schemas that know which TypeScript type they describe; schemas.ts is built of them.
// Dialect 2020-12, and nothing that ajv's strict mode or OpenAPI 3.1 would refuse.
import type { Json } from '../core/json.ts';

/** Never there: the compiler compares by it. */
declare const meaning: unique symbol;

/** A JSON Schema of exactly the values of the type: neither a wider nor a narrower one is taken for it. */
export interface SchemaOf<Type> {
  readonly [keyword: string]: unknown;
  readonly [meaning]?: (value: Type) => Type;
}

export const text: SchemaOf<string> = { type: 'string' };
export const integer: SchemaOf<number> = { type: 'integer' };
export const number: SchemaOf<number> = { type: 'number' };
export const truth: SchemaOf<boolean> = { type: 'boolean' };
export const value: SchemaOf<Json> = {};

export function words<Word extends string>(list: readonly Word[]): SchemaOf<Word> {
  return { type: 'string', enum: list };
}

export function nullable<Type>(schema: SchemaOf<Type>): SchemaOf<Type | null> {
  return { anyOf: [schema, { type: 'null' }] };
}

export function listOf<Type>(items: SchemaOf<Type>): SchemaOf<readonly Type[]> {
  return { type: 'array', items };
}

export function mapOf<Type>(values: SchemaOf<Type>): SchemaOf<{ readonly [key: string]: Type }> {
  return { type: 'object', additionalProperties: values };
}

export function either<Types extends readonly unknown[]>(
  ...branches: { readonly [Place in keyof Types]: SchemaOf<Types[Place]> }
): SchemaOf<Types[number]> {
  return { oneOf: branches };
}

type OptionalOf<Type> = { [Member in keyof Type]-?: undefined extends Type[Member] ? Member : never }[keyof Type];

/** An object of exactly the members of its type; all are required but for those named. */
export function closed<Type>(
  members: { readonly [Member in keyof Type]-?: SchemaOf<Exclude<Type[Member], undefined>> },
  optional: readonly OptionalOf<Type>[] = [],
): SchemaOf<Type> {
  const left: ReadonlySet<PropertyKey> = new Set(optional);
  return {
    type: 'object',
    properties: members,
    required: Object.keys(members).filter((member) => !left.has(member)),
    additionalProperties: false,
  };
}
