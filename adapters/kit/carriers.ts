// Processes that carry the key of a call in their environment (QUENCH_KEY), wherever they went: `setsid` leaves a group, not this.
// Linux only: elsewhere there is no /proc, and nothing is found.
//   W1  Only processes of our own user are looked at and ended; never this process.
//   W2  Bounded: so many processes a pass, so many bytes of each environment, so many passes; one look at a time, whoever asks.
import { open, readdir, stat } from 'node:fs/promises';

const name = 'QUENCH_KEY=';
const processesMax = 65_536;
const environmentBytesMax = 1_048_576;
/** What one pass ended may have started another just before. */
const passesMax = 3;

let waiting = new Set<string>();
let looking: Promise<number> | null = null;
let next: Promise<number> | null = null;

/** Ends every process that carries one of the keys; resolves to how many were found. Never rejects. */
export function endCarriers(keys: Iterable<string>): Promise<number> {
  for (const key of keys) waiting.add(key);
  if (looking === null) return (looking = look().finally(() => (looking = null)));
  // Those who ask meanwhile share one look more.
  next ??= looking.then(() => {
    next = null;
    return (looking = look().finally(() => (looking = null)));
  });
  return next;
}

async function look(): Promise<number> {
  const keys = waiting;
  waiting = new Set();
  let found = 0;
  for (let pass = 0; pass < passesMax && keys.size > 0; pass += 1) {
    const ended = await endOnce(keys);
    found += ended;
    if (ended === 0) break;
  }
  return found;
}

async function endOnce(keys: ReadonlySet<string>): Promise<number> {
  const own = process.getuid?.();
  const pids = (await readdir('/proc').catch(() => [])).filter((entry) => /^[0-9]+$/.test(entry)).slice(0, processesMax);
  let ended = 0;
  for (const pid of pids) {
    if (Number(pid) === process.pid) continue;
    const owner = await stat(`/proc/${pid}`).catch(() => null);
    if (owner === null || owner.uid !== own) continue; // W1
    if (!carries(await environmentOf(pid), keys)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself.
    }
  }
  return ended;
}

function carries(environment: string, keys: ReadonlySet<string>): boolean {
  return environment.split('\0').some((entry) => entry.startsWith(name) && keys.has(entry.slice(name.length)));
}

/** Empty for a zombie and for what is gone. */
async function environmentOf(pid: string): Promise<string> {
  const file = await open(`/proc/${pid}/environ`).catch(() => null);
  if (file === null) return '';
  try {
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes < environmentBytesMax;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
    return Buffer.concat(chunks).toString();
  } catch {
    return '';
  } finally {
    await file.close().catch(() => {});
  }
}
