// An instant as text, as most sources without numbers name their episodes. Arithmetic alone: core asks no clock.
const dayMs = 86_400_000;
/** Characters of such a text. */
export const spellingChars = 24;
/** Years of four digits. */
const spelledMax = 253_402_300_799_999;

/** An instant since 1970 as ISO 8601 in UTC with milliseconds, as most sources without numbers name their episodes. */
export function spellingOf(at: number): string {
  const days = Math.floor(at / dayMs);
  // Civil date of a day, counted in eras of 400 years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const ms = at - days * dayMs;
  const time = `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1_000) % 60)}`;
  return `${year}-${two(month)}-${two(day)}T${time}.${two(Math.floor((ms % 1_000) / 10))}${ms % 10}Z`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

export function isSpelled(at: unknown): at is number {
  return typeof at === 'number' && Number.isInteger(at) && at >= 0 && at <= spelledMax;
}
