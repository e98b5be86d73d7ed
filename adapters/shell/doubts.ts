// What `quench check` says of the list of programs by looking at the disk: what is not there, or may not be run, is hardly meant. A warning:
// the list may be of another machine, and the gateway may run as another user. What packages bring (docker, certbot) stands in lists for all
// machines of a house: where it is not installed, only a near name beside it makes it a slip of the pen.
import { accessSync, constants, readdirSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ShellConfig } from './config.ts';

/** One doubt for each entry of `allow` that leads to nothing that could start. */
export function programDoubts({ allow = [] }: ShellConfig): readonly { readonly pointer: string; readonly message: string }[] {
  return allow.flatMap((entry, index) => {
    const why = doubtOf(entry);
    return why === null ? [] : [{ pointer: `/allow/${index}`, message: `expected a program, or a directory of programs, ${why}` }];
  });
}

function doubtOf(entry: string): string | null {
  const stat = statOf(entry);
  if (stat === null) {
    const near = nearIn(dirname(entry), basename(entry));
    if (near !== null) return `seen nothing at ${entry}: did you mean ${near}?`;
    return isPackaged.test(entry) ? null : `seen nothing at ${entry}: correct the path, or remove the line`;
  }
  if (stat.isDirectory()) return null;
  try {
    accessSync(entry, constants.X_OK);
    return null;
  } catch {
    return `seen a file that may not be run: chmod +x ${entry}`;
  }
}

const isPackaged = /^\/(usr\/(local\/)?)?s?bin\//;
const namesMax = 10_000;

/** What is there under a name that is one letter away; null when nothing is. */
function nearIn(dir: string, name: string): string | null {
  if (name.length < 3) return null;
  try {
    const found = readdirSync(dir)
      .slice(0, namesMax)
      .find((other) => isOneAway(name, other));
    return found === undefined ? null : join(dir, found);
  } catch {
    return null;
  }
}

/** One letter more, less, or another one; or two that are swapped. */
function isOneAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const [restA, restB] = [a.slice(at), b.slice(at)];
  const isSwapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1) || isSwapped;
}

/** Null for what is not there, and for what lies where we may not look. */
function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
