// Text that SQLite must give back unchanged. It stores UTF-8, which has no lone surrogates: two ids that differ only in one
// would become the same row. They are written as a private-use mark and four hex digits; all other text is stored as it is.
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';

const mark = '\u{e000}';

export function stow(text: string): string {
  if (text.isWellFormed() && !text.includes(mark)) return text;
  return text.replace(/[\u{e000}\p{Cs}]/gu, (unit) => mark + unit.charCodeAt(0).toString(16));
}

export function unstow(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replace(/\u{e000}([0-9a-f]{4})/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A stored text of JSON, as the writer wrote it; one that is none any more is damage, not a bug. Throws GatewayError with the code given. */
export function parsed(text: string, code: ErrorCode): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GatewayError(code, 'store: a stored record is damaged: it is no JSON any more (docs/install.md, "A damaged store")', error);
  }
}
