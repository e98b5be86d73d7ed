// The name by which the gateway signs what it does itself, in timelines and in the audit: nobody else may have it.
//   N1  However it is written: people read a name, they do not compare its characters.

/** What the gateway signs with. */
export const ownName = 'quench';

/** Whether a person or a token of that name would pass for the gateway. */
export function isOwnName(name: string): boolean {
  return (
    name
      .normalize('NFKC')
      .replace(/[\p{C}\p{Z}]/gu, '')
      .toLowerCase() === ownName
  ); // N1
}

/** Why such a name is refused, and what to do: `fix` is what to write instead. */
export function ownNameRefused(name: string, fix: string): string {
  return `expected a name of your own, seen "${name}", by which the gateway signs what it does itself: ${fix}`;
}
