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

/** How long to wait before the next attempt after so many failures in a row: twice as long each time, up to a bound. */
export function backoffAfter(failures: number, { firstMs, maxMs }: { readonly firstMs: Millis; readonly maxMs: Millis }): Millis {
  return failures < 1 ? 0 : Math.min(maxMs, firstMs * 2 ** (failures - 1));
}
