// A JSON value, read-only: what documents, parameters, outputs and log records are made of; and what is too much to be parsed as one.

/** A value of a document, after YAML. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** How deep a text of JSON may nest, how many members one object of it may have, and how many values all of it may have, lists and objects counted once more. */
export interface JsonShape {
  readonly depthMax: number;
  readonly membersMax: number;
  readonly valuesMax: number;
}

/**
 * What makes a text of JSON too much to be parsed, in one sentence, or null: one walk over its characters, before any value is made of them.
 * Of a text that is no JSON it may say either.
 */
export function jsonShapeProblem(text: string, { depthMax, membersMax, valuesMax }: JsonShape): string | null {
  const members: number[] = [];
  let values = 1;
  for (let place = 0; place < text.length; place += 1) {
    switch (text.charCodeAt(place)) {
      case 0x22: // "
        place = endOfText(text, place);
        break;
      case 0x5b: // [
        members.push(Number.NEGATIVE_INFINITY);
        values += 1;
        if (members.length > depthMax) return `JSON nested deeper than ${depthMax} levels`;
        break;
      case 0x7b: // {
        members.push(1);
        values += 1;
        if (members.length > depthMax) return `JSON nested deeper than ${depthMax} levels`;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        members.pop();
        break;
      case 0x2c: {
        // ,
        const count = (members.pop() ?? Number.NEGATIVE_INFINITY) + 1;
        if (count > membersMax) return `an object with more than ${membersMax} members`;
        members.push(count);
        values += 1;
        break;
      }
      default:
    }
    if (values > valuesMax) return `more than ${valuesMax} values`;
  }
  return null;
}

/** The place of the quote that ends a text, or the end of everything. */
function endOfText(text: string, from: number): number {
  let place = text.indexOf('"', from + 1);
  while (place >= 0) {
    let slashes = 0;
    while (text.charCodeAt(place - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return place;
    place = text.indexOf('"', place + 1);
  }
  return text.length;
}
