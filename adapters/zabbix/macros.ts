// Macros that stand in a text as they are, because nothing expanded them: told by the delivery itself where it does so, else left out.
//   Z3  No title holds a macro that people cannot read.
import { pick, type Fields } from './fields.ts';

const macros = /\{(?:\{)?[#$?]?[A-Z][A-Z0-9_.:]{0,100}(?:[^{}\n]{0,100})?\}(?:\.[a-z]{1,20}\([^()\n]{0,100}\)\})?/g;

/** `ping web1` of `ping {HOST.NAME}`; at an end what is not told is left out, in the middle it is `…`. */
export function told(text: string, fields: Fields): string {
  return without(
    text.replace(
      macros,
      (macro) =>
        pick(
          fields,
          macro
            .replace(/\d?\}$/, '')
            .toLowerCase()
            .replace(/[^a-z0-9]/g, ''),
        ) || macro,
    ),
  );
}

/** The same for every host and value: the words around the macros. */
function without(text: string): string {
  if (!text.includes('{')) return text;
  const left = text.replace(macros, '…').trim();
  return left.replace(/^(?:…\s*[:,-]?\s*)+|(?:\s*[:,-]?\s*…)+$/g, '') || text;
}
