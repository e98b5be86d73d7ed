// Which releases of SQLite this store may trust. Source: sqlite.org/wal.html, section "The WAL-Reset Bug", and the notes of release 3.51.3 (2026-03-13).
// Two connections that write or fold one WAL at the same instant could damage the file in 3.7.0 to 3.51.2; writer.ts and folder.ts are two. Node 24.15 is the first 24 with the repair.

const repaired: readonly (readonly [major: number, minor: number, patch: number])[] = [
  [3, 44, 6],
  [3, 50, 7],
];
const repairedSince = [3, 51, 3] as const;

/** Whether a store may be damaged by the SQLite of this version (`process.versions.sqlite`); one that is not named is not trusted. */
export function mayDamageStores(version: string | undefined): boolean {
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split('.').map(Number);
  if (repaired.some((one) => one[0] === major && one[1] === minor && patch >= one[2])) return false;
  const [first, second, third] = repairedSince;
  if (major !== first) return major < first;
  return minor < second || (minor === second && patch < third);
}
