// Many seeds over all cores: each thread takes every n-th seed and reports what it saw. Started as a thread by itself.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { simulate } from './world.ts';

export interface Report {
  readonly seeds: number;
  readonly facts: number;
  /** Seeds that broke a promise, with the first few of them. */
  readonly broken: readonly { readonly seed: number; readonly promises: readonly string[] }[];
  readonly reached: ReadonlyMap<string, number>;
}

interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const promisesShown = 3;
/** A world makes much garbage, and little of it grows old. */
const youngMegabytes = 64;

if (!isMainThread) parentPort?.postMessage(await work(workerData as Share)); // started below

/** Runs the worlds of all seeds from one to the other, both included. */
export async function runSeeds(from: number, to: number): Promise<Report> {
  const threads = availableParallelism();
  const reports = await Promise.all(Array.from({ length: threads }, (_, place) => start({ from: from + place, to, step: threads })));
  const reached = new Map<string, number>();
  for (const report of reports) for (const [path, count] of report.reached) reached.set(path, (reached.get(path) ?? 0) + count);
  return {
    seeds: reports.reduce((sum, report) => sum + report.seeds, 0),
    facts: reports.reduce((sum, report) => sum + report.facts, 0),
    broken: reports.flatMap((report) => report.broken).sort((a, b) => a.seed - b.seed),
    reached,
  };
}

function start(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: share,
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () =>
      reject(new Error(`a thread ended in the middle of its seeds ${share.from}, ${share.from + share.step} …: some world hangs`)),
    );
  });
}

async function work({ from, to, step }: Share): Promise<Report> {
  const report = { seeds: 0, facts: 0, broken: [] as Report['broken'][number][], reached: new Map<string, number>() };
  for (let seed = from; seed <= to; seed += step) {
    const { ledger, broken } = await simulate(seed);
    report.seeds += 1;
    report.facts += ledger.facts.length;
    if (broken.length > 0) report.broken.push({ seed, promises: broken.slice(0, promisesShown) });
    for (const [path, count] of ledger.reached) report.reached.set(path, (report.reached.get(path) ?? 0) + count);
  }
  return report;
}
