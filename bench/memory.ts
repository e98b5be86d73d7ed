// What a gateway takes with much open: memory at its peak, and how soon it is ready again after SIGKILL with inputs that no checkpoint has.
// Run: node bench/memory.ts [open alerts] [inputs behind the checkpoint]. CPU time until it is ready stands beside the wall clock: the
// machine may be busy.
import { readFileSync } from 'node:fs';
import { bodyOf } from './inside.ts';
import { caughtUp, rssMb, startQuench, table } from './support.ts';

const open = Number(process.argv[2] ?? 100_000);
const tail = Number(process.argv[3] ?? 10_000);
const batch = 64;
const senders = 8;
const ticksASecond = 100;

process.env['MALLOC_ARENA_MAX'] ??= '2'; // as the unit and the image have it
const quench = await startQuench();
const headers = { authorization: `Bearer ${quench.token}`, 'content-type': 'application/json' };

async function send(first: number, count: number): Promise<void> {
  let next = first;
  const sender = async (): Promise<void> => {
    while (next < first + count) {
      const from = next;
      next += batch;
      const answer = await fetch(`${quench.url}/webhooks/prometheus`, { method: 'POST', headers, body: bodyOf(from, batch) });
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

/** Of all its threads, in ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / ticksASecond) * 1_000;
}

function peakMb(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
}

const began = rssMb(quench.pid);
await send(0, open);
await caughtUp(quench);
const filled = cpuMs(quench.pid);
const [peak, now] = [peakMb(quench.pid), rssMb(quench.pid)];
await send(open, tail);
await quench.kill();
const killed = performance.now();
await quench.restart();
const readyMs = performance.now() - killed;
const readyCpuMs = cpuMs(quench.pid);
console.log(
  table(
    [
      'open alerts',
      'RSS when empty',
      'RSS at its peak',
      'RSS when all is decided',
      'CPU until then',
      'ready after SIGKILL',
      'CPU until ready',
      'RSS then',
    ],
    [
      [
        open,
        `${began} MB`,
        `${peak} MB`,
        `${now} MB`,
        `${Math.round(filled)} ms`,
        `${Math.round(readyMs)} ms`,
        `${Math.round(readyCpuMs)} ms`,
        `${peakMb(quench.pid)} MB`,
      ],
    ],
  ),
);
await quench.stop();
process.exit(0);
