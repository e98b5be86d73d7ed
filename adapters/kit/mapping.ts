// An endpoint's own field mapping: members of a body under the names that its source knows, by expressions of the operator over the body.
// So a template of one's own can be taken, and its dead letters replayed. Which expressions are accepted is src/config's matter.
//   P1  Expressions come from the configuration; what was sent is only ever a value to them.
//   P2  What an expression cannot say leaves the member as it was sent, with a warning; `null` takes it away.
//   P3  What the source's own adapter wrote (`native`) is not mapped: it has the source's names already.
import { fail, type Result } from '../../src/core/errors.ts';
import type { Expressions } from '../../src/core/playbook/expressions.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { isObject, parseJson } from './event.ts';
import { formOf } from './form.ts';
import { oneLine } from './text.ts';

/** CEL by the member that it gives; it reads `body`, the JSON or the form as it was sent. */
export type Mapping = { readonly [member: string]: string };

const warningsMax = 8;

/** The source behind the mapping; the same source when there is nothing to map. */
export function mapped(source: Source, mapping: Mapping, expressions: Pick<Expressions, 'evaluate'>): Source {
  const members = Object.entries(mapping);
  if (members.length === 0) return source;

  function parse(delivery: Delivery): Result<Parsed, ParseFailure> {
    if (delivery.native === true) return source.parse(delivery); // P3
    const read = bodyOf(delivery);
    if (!read.ok) return source.parse(delivery);
    const body = read.value;
    const said: Record<string, unknown> = isObject(body) ? { ...body } : {};
    const troubles: string[] = [];
    for (const [member, expression] of members) {
      const value = expressions.evaluate(expression, { body });
      if (!value.ok) troubles.push(`mapping.${member}: ${oneLine(value.error, 160)}`); // P2
      else if (value.value === null) delete said[member];
      else said[member] = value.value;
    }
    const headers = { ...delivery.headers, 'content-type': 'application/json' };
    const parsed = source.parse({ ...delivery, headers, body: JSON.stringify(said) });
    const warnings = troubles.slice(0, warningsMax);
    if (parsed.ok) return { ok: true, value: { ...parsed.value, warnings: [...parsed.value.warnings, ...warnings] } };
    const [first] = warnings;
    return first === undefined ? parsed : fail({ ...parsed.error, message: `${parsed.error.message} (${first})` });
  }

  return { ...source, parse };
}

/** A form is an object of texts; of a name that comes twice the first counts. */
function bodyOf({ body, headers }: Delivery): Result<unknown, ParseFailure> {
  const isForm = (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded') && !/^\s*[[{]/.test(body);
  return isForm ? { ok: true, value: Object.fromEntries(formOf(body).toReversed()) } : parseJson(body, 'mapping');
}
