// Loaded into a gateway by --import: writes down how much CPU its main thread spends between two looks of the event loop, a millisecond apart.
// A stretch is counted in CPU time, so that a machine that is busy with others does not show; whoever asks reads the file (beside.ts).
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['QUENCH_BENCH_STRETCHES'];
const countedFromMs = 1;

if (folder !== undefined && isMainThread && process.argv.includes('serve')) {
  let last = process.threadCpuUsage();
  let stretches: string[] = [];
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    const ms = (user + system) / 1_000;
    if (ms >= countedFromMs) stretches.push(ms.toFixed(1));
  }, 1).unref();
  setInterval(() => {
    if (stretches.length > 0) appendFileSync(`${folder}/stretches`, `${stretches.join('\n')}\n`);
    stretches = [];
  }, 200).unref();
}
