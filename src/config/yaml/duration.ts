// Quantities as people write them: spans `90s 10m 1h30m 2d 250ms`, rates `3 per 6h`, sizes `512KiB 1MiB`.
// Writing a span back is spanOf in core/time.ts.
import { day, hour, minute, second, type Millis } from '../../core/time.ts';

const unitMs = new Map<string, Millis>([
  ['d', day],
  ['h', hour],
  ['m', minute],
  ['s', second],
  ['ms', 1],
]);

/** Longest span that is accepted: ten years. */
const spanMax: Millis = 3_650 * day;

/** Shape of a span for JSON Schema: units once each, from big to small. */
export const spanPattern = '^(?=.)([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,9}ms)?$';
export const percentPattern = '^([1-9][0-9]?|100)%$';
export const sharePattern = '^([1-9][0-9]?|100)%( per [0-9dhms]{2,40})?$';
export const ratePattern = '^[1-9][0-9]{0,5} per [0-9dhms]{2,40}$';
export const bytesPattern = '^[1-9][0-9]{0,9}(B|KiB|MiB|GiB)$';

const spanShape = new RegExp(spanPattern);

/** Milliseconds of a span, or null when it is none or longer than ten years. `0s` is a span. */
export function parseSpan(text: string): Millis | null {
  if (!spanShape.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|[dhms])/g)) total += Number(count) * (unitMs.get(unit ?? '') ?? 0);
  return total <= spanMax ? total : null;
}

/** `3 per 6h` as a number and a span; null when it is no rate or per nothing. */
export function parseRate(text: string): { readonly max: number; readonly perMs: Millis } | null {
  const [, count, span] = /^([1-9][0-9]{0,5}) per ([0-9dhms]+)$/.exec(text) ?? [];
  const perMs = parseSpan(span ?? '');
  return perMs === null || perMs === 0 ? null : { max: Number(count), perMs };
}

/** `25%` as a number from 1 to 100, or null. */
export function parsePercent(text: string): number | null {
  const [, digits] = /^([1-9][0-9]{0,2})%$/.exec(text) ?? [];
  const percent = Number(digits);
  return percent >= 1 && percent <= 100 ? percent : null;
}

/** `25% per 10m` as a share of a group and a span, which is the given one if it is not said; null when it is none. */
export function parseShare(text: string, otherwiseMs: Millis): { readonly percent: number; readonly perMs: Millis } | null {
  const [share = '', span, ...more] = text.split(' per ');
  const percent = parsePercent(share);
  const perMs = span === undefined ? otherwiseMs : parseSpan(span);
  return percent === null || perMs === null || perMs === 0 || more.length > 0 ? null : { percent, perMs };
}

const unitBytes = new Map([
  ['B', 1],
  ['KiB', 1_024],
  ['MiB', 1_048_576],
  ['GiB', 1_073_741_824],
]);

/** Bytes of a size, or null; whole numbers with a binary unit only, so that nobody guesses. */
export function parseBytes(text: string): number | null {
  const [, count, unit] = /^([1-9][0-9]{0,9})(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(count) * (unitBytes.get(unit ?? '') ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
