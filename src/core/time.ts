// Time as plain numbers. Nothing here, or anywhere in core, reads a clock: instants come in on inputs.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** A span in milliseconds. */
export type Millis = number;

export const second: Millis = 1_000;
export const minute: Millis = 60 * second;
export const hour: Millis = 60 * minute;
export const day: Millis = 24 * hour;

/** Writes a span the way playbooks write it: `45s`, `5m`, `1h30m`, `2d`; below a second `250ms`. */
export function spanOf(span: Millis): string {
  if (span < second) return `${Math.max(0, Math.round(span))}ms`;
  const units: readonly (readonly [string, Millis])[] = [
    ['d', day],
    ['h', hour],
    ['m', minute],
    ['s', second],
  ];
  let left = Math.round(span / second) * second;
  let text = '';
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text;
}

/** A span in words, to the minute, below two minutes to the second: `4 min`, `50 s`. */
export function clockSpan(span: Millis): string {
  return span < 2 * minute ? `${Math.round(span / second)} s` : `${Math.round(span / minute)} min`;
}

/** The time of day, `23:38 UTC`. */
export function clockOf(at: Instant): string {
  const minutes = Math.floor(at / minute) % (24 * 60);
  const padded = (part: number): string => String(part).padStart(2, '0');
  return `${padded(Math.floor(minutes / 60))}:${padded(minutes % 60)} UTC`;
}

/** `since 23:38 UTC (4m)`, with the day when that is another one; `(just now)` below a second, and for what begins in the future. */
export function sinceOf(from: Instant, at: Instant): string {
  const isToday = Math.floor(from / day) === Math.floor(at / day);
  const date = isToday ? '' : `${dateOf(from)} `;
  return `since ${date}${clockOf(from)} (${at - from < second ? 'just now' : spanOf(at - from)})`;
}

/** The day in UTC, `2026-11-30`. Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days. */
export function dateOf(at: Instant): string {
  const days = Math.floor(at / day) + 719_468;
  const era = Math.floor(days / 146_097);
  const ofEra = days - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const padded = (part: number): string => String(part).padStart(2, '0');
  return `${year + era * 400 + (month <= 2 ? 1 : 0)}-${padded(month)}-${padded(ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1)}`;
}

/** How long to wait before the next attempt after so many failures in a row: twice as long each time, up to a bound. */
export function backoffAfter(failures: number, { firstMs, maxMs }: { readonly firstMs: Millis; readonly maxMs: Millis }): Millis {
  return failures < 1 ? 0 : Math.min(maxMs, firstMs * 2 ** (failures - 1));
}
