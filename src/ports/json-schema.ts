// The one dialect of JSON Schema that everything here is written in: draft 2020-12, in Ajv's strict mode, with our own keywords known.
// Not for meaning: what a keyword of ours asks for is done by whoever walks the schema.
import { Ajv2020, type Options } from 'ajv/dist/2020.js';
import { memberRoles } from './action.ts';

/**
 * A validator that refuses schemas with unknown keywords. `x-expects`: what to write, in words; `x-later`: keys that are refused by name;
 * `x-quench`: what a member of an action's input is (ports/action.ts); `x-secret`: an option that may hold a secret (config/secrets.ts).
 */
export function strictAjv(options: Pick<Options, 'allErrors' | 'verbose'> = {}): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, validateFormats: false, ...options });
  ajv.addKeyword({ keyword: 'x-quench', schemaType: 'string', metaSchema: { enum: memberRoles } });
  ajv.addKeyword({ keyword: 'x-expects', schemaType: 'string' });
  ajv.addKeyword({ keyword: 'x-secret', schemaType: 'boolean' });
  ajv.addKeyword({ keyword: 'x-later', schemaType: 'object' });
  return ajv;
}
