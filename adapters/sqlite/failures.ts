// What SQLite's result codes mean to us. Source: sqlite.org/rescode.html, primary codes (low byte), read 2026-11-21.

const mediumCodes = new Set([
  5 /* busy */, 6 /* locked */, 7 /* no memory */, 8 /* read only */, 10 /* i/o */, 11 /* corrupt */, 13 /* full */, 14 /* cannot open */,
  26 /* not a database */,
]);

/** Whether the medium failed, so that the same request may go well later; otherwise the request or our code is at fault. */
export function isMediumFailure(error: unknown): boolean {
  return mediumCodes.has(primaryCode(error));
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5;
}

function primaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) % 256 : -1;
}

/** Whether the file is damaged, or no database at all. */
export function isDamage(error: unknown): boolean {
  return primaryCode(error) === 11 || primaryCode(error) === 26;
}
