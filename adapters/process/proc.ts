// What Linux says about a process, and the pid file that remembers which one was ours.
// A pid alone identifies nothing: the kernel gives it out again. Start time and boot together do.
//   I1  `ours` is said only of the very process that the file was written for, or, for a plain pid, of one with exactly our command line.
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import type { ProcessSpec } from './config.ts';

/** A living process; zombies are not. */
export interface Seen {
  readonly pid: number;
  readonly group: number;
  /** Clock ticks since boot, as /proc writes them. */
  readonly start: string;
  readonly cmdline: readonly string[];
}

/** What the pid file holds; `start` is null for a file that another program wrote: the pid and nothing more. */
export interface Noted {
  readonly pid: number;
  readonly start: string | null;
  readonly boot: string | null;
  readonly cmdline: readonly string[];
}

export type Verdict =
  | { readonly is: 'ours'; readonly seen: Seen }
  /** No such process, or the pid is another program's by now. */
  | { readonly is: 'gone' }
  /** Cannot be told apart safely; `why` is a sentence for people. */
  | { readonly is: 'doubtful'; readonly why: string };

/** Looks a pid up in /proc; null when there is no living process of that number. */
export async function look(pid: number): Promise<Seen | null> {
  try {
    const [stat, cmdline] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/cmdline`, 'utf8')]);
    // The second field is the program's name in parentheses and may hold anything; fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, , group, start] = [fields[0], fields[1], fields[2], fields[19]];
    if (state === undefined || group === undefined || start === undefined || /[ZXx]/.test(state)) return null;
    return { pid, group: Number(group), start, cmdline: cmdline.replace(/\0$/, '').split('\0') };
  } catch {
    return null;
  }
}

/** True while the group has a member that is more than a zombie, which where nothing reaps stays for good. Reads all of /proc. */
export async function groupRuns(group: number): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await look(Number(name)))?.group === group) return true;
  }
  return false;
}

/** Decides whose the process in the pid file is. */
export async function verdictOf(spec: ProcessSpec): Promise<Verdict> {
  const noted = await readNote(spec.pidFile);
  if (noted === 'none') return { is: 'gone' };
  if (noted === 'unreadable') return { is: 'doubtful', why: `pid file ${spec.pidFile} cannot be read or holds no pid` };
  const seen = await look(noted.pid);
  if (seen === null) return { is: 'gone' };
  if (noted.start !== null && (noted.start !== seen.start || noted.boot !== (await bootId()))) return { is: 'gone' };
  const named = same(seen.cmdline, noted.cmdline) || same(seen.cmdline, spec.command);
  if (named || (spec.title !== undefined && seen.cmdline.join(' ').startsWith(spec.title))) return { is: 'ours', seen };
  if (noted.start === null) return { is: 'gone' };
  return {
    is: 'doubtful',
    why: `process ${noted.pid} is the one in ${spec.pidFile} but runs another command line; set title if the program renames itself`,
  };
}

async function readNote(pidFile: string): Promise<Noted | 'none' | 'unreadable'> {
  let text: string;
  try {
    text = (await readFile(pidFile, 'utf8')).trim();
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'none' : 'unreadable';
  }
  if (text === '') return 'none';
  if (/^\d{1,10}$/.test(text)) return pidFits(Number(text)) ? { pid: Number(text), start: null, boot: null, cmdline: [] } : 'unreadable';
  try {
    // Only our own files look like this; each member is checked before it is used.
    const { pid, start, boot, cmdline } = JSON.parse(text) as Partial<Noted>;
    const whole = typeof pid === 'number' && typeof start === 'string' && typeof boot === 'string' && Array.isArray(cmdline);
    return whole && pidFits(pid) ? { pid, start, boot, cmdline } : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Writes the pid file in one step: a reader sees the old or the new one, never half. */
export async function note(pidFile: string, seen: Seen): Promise<void> {
  const noted: Noted = { pid: seen.pid, start: seen.start, boot: await bootId(), cmdline: seen.cmdline };
  const draft = `${pidFile}.${process.pid}.new`;
  try {
    await writeFile(draft, `${JSON.stringify(noted)}\n`, { mode: 0o644 });
    await rename(draft, pidFile);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Milliseconds that the process has lived. Linux counts start times in 1/100 s for every program. */
export async function uptimeMs(seen: Seen): Promise<number> {
  const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
  return Math.max(0, Math.round(uptime * 1000 - Number(seen.start) * 10));
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** 0 and 1 are never ours; negative numbers are groups. */
function pidFits(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
