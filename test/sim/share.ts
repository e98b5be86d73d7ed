// Many worlds over all cores: each thread takes every n-th seed, or every n-th mutant, and reports what it saw. Started as a thread by itself.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { mutants, worldsMax, type Mutant } from './mutants.ts';
import { simulate } from './world.ts';

export interface Report {
  readonly seeds: number;
  readonly facts: number;
  /** Seeds that broke a promise, with the first few of them. */
  readonly broken: readonly { readonly seed: number; readonly promises: readonly string[] }[];
  readonly reached: ReadonlyMap<string, number>;
}

/** How a mutant was looked for. */
export interface Found {
  /** Worlds that it took; null: it was not found in worldsMax. */
  readonly worlds: number | null;
  readonly seconds: number;
}

interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const promisesShown = 3;
/** A world makes much garbage, and little of it grows old. */
const youngMegabytes = 64;

if (!isMainThread) await (Array.isArray(workerData) ? look(workerData as number[]) : work(workerData as Share)); // started below

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

/** Looks for each of the mutants; they are shared by all cores in their order. */
export function findMutants(wanted: readonly Mutant[]): ReadonlyMap<Mutant, Promise<Found>> {
  const threads = availableParallelism();
  const workers = Array.from({ length: threads }, (_, place) =>
    createWorker(wanted.filter((_mutant, at) => at % threads === place).map((mutant) => mutants.indexOf(mutant))),
  );
  const found = wanted.map((mutant, at) => {
    const worker = workers[at % threads];
    const heard = new Promise<Found>((resolve, reject) => {
      worker?.on('message', ([place, told]: [number, Found]) => (mutants[place] === mutant ? resolve(told) : undefined));
      worker?.once('error', reject);
      worker?.once('exit', () => reject(new Error('a thread ended in the middle of its mutants: some world hangs')));
    });
    heard.catch(() => {}); // read later, or not at all
    return [mutant, heard] as const;
  });
  return new Map(found);
}

async function look(places: readonly number[]): Promise<void> {
  for (const place of places) {
    const began = performance.now();
    const mutant = mutants[place];
    const worlds = mutant === undefined ? null : await find(mutant);
    parentPort?.postMessage([place, { worlds, seconds: (performance.now() - began) / 1_000 }]);
  }
}

async function find({ tampering, caught }: Mutant): Promise<number | null> {
  for (let seed = 1; seed <= worldsMax; seed += 1) {
    const { broken } = await simulate(seed, tampering);
    if (broken.some((promise) => caught.test(promise))) return seed;
  }
  return null;
}

function createWorker(task: Share | readonly number[]): Worker {
  const worker = new Worker(new URL(import.meta.url), { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes } });
  return worker.setMaxListeners(0);
}

function start(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = createWorker(share);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () =>
      reject(new Error(`a thread ended in the middle of its seeds ${share.from}, ${share.from + share.step} …: some world hangs`)),
    );
  });
}

async function work({ from, to, step }: Share): Promise<void> {
  const report = { seeds: 0, facts: 0, broken: [] as Report['broken'][number][], reached: new Map<string, number>() };
  for (let seed = from; seed <= to; seed += step) {
    const { ledger, broken } = await simulate(seed);
    report.seeds += 1;
    report.facts += ledger.facts.length;
    if (broken.length > 0) report.broken.push({ seed, promises: broken.slice(0, promisesShown) });
    for (const [path, count] of ledger.reached) report.reached.set(path, (report.reached.get(path) ?? 0) + count);
  }
  parentPort?.postMessage(report);
}
