// JSON Schemas (2020-12) as the HTTP floor uses them: what a caller may send, and names of components. Typed ones are readmodel/schema.ts.
import type { SchemaOf } from '../readmodel/schema.ts';

/** JSON Schema, as far as Ajv in strict mode and OpenAPI 3.1 agree. */
export type Schema = { readonly [keyword: string]: unknown };

/** What a caller may send: exactly these members, of which only the named ones must be there. */
export function object(properties: { readonly [name: string]: Schema }, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, properties, required };
}

/** The schema of a component, by its name. */
export function ref<Type>(name: string): SchemaOf<Type> {
  return { $ref: `#/components/schemas/${name}` };
}
