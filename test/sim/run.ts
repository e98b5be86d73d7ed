// Runs simulated worlds from the command line.
//   node test/sim/run.ts --seeds 1..5000     prints broken promises with their seeds and the rare paths; exit code 1 when a promise
//                                            was broken, 2 when a rare path was never taken (asked of 1,200 seeds and more)
//   node test/sim/run.ts --seed 4711         one world with its story, and with --facts every fact of it
//   node test/sim/run.ts --mutants grants    how many worlds and seconds each mutant of that name takes to be found; '' is all of them
import { parseArgs } from 'node:util';
import { rarePaths } from './check-paths.ts';
import { mutants } from './mutants.ts';
import { findMutants, runSeeds, type Report } from './share.ts';
import { simulate } from './world.ts';

/** Seeds below which a rare path may be missing. */
const enoughSeeds = 1_200;
const shownMax = 20;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..1000' },
    facts: { type: 'boolean', default: false },
    mutants: { type: 'string' },
  },
});
process.exitCode = await asked();

function asked(): Promise<number> {
  if (values.mutants !== undefined) return hunt(values.mutants);
  return values.seed === undefined ? many(values.seeds) : one(Number(values.seed), values.facts);
}

async function hunt(named: string): Promise<number> {
  let missed = 0;
  for (const [mutant, found] of findMutants(mutants.filter(({ says }) => says.includes(named)))) {
    const { worlds, seconds } = await found;
    console.log(`${String(worlds ?? 'not in').padStart(6)} worlds ${seconds.toFixed(1).padStart(7)} s  ${mutant.says}`);
    missed += worlds === null ? 1 : 0;
  }
  return missed === 0 ? 0 : 1;
}

async function one(seed: number, facts: boolean): Promise<number> {
  const { broken, ledger } = await simulate(seed, {}, (line) => console.log(line));
  for (const { fact, partition, seen } of facts ? ledger.facts : []) {
    console.log(`${(seen.steady / 1_000).toFixed(3)} life ${seen.lives} partition ${partition} ${JSON.stringify(fact)}`);
  }
  console.log(`seed ${seed}: ${broken.length === 0 ? 'every promise was kept' : `${broken.length} promises were broken`}`);
  return broken.length === 0 ? 0 : 1;
}

async function many(seeds: string): Promise<number> {
  const [from = 1, to = from] = seeds.split('..').map(Number);
  const began = performance.now();
  const report = await runSeeds(from, to);
  const missing = rarePaths.filter((path) => !report.reached.has(path));
  print(report, missing, (performance.now() - began) / 1_000);
  if (report.broken.length > 0) return 1;
  return missing.length > 0 && report.seeds >= enoughSeeds ? 2 : 0;
}

function print({ seeds, facts, broken, reached }: Report, missing: readonly string[], seconds: number): void {
  for (const [path, count] of [...reached].sort()) console.log(`${String(count).padStart(9)}  ${path}`);
  for (const path of missing) console.log(`    never  ${path}`);
  for (const { seed, promises } of broken.slice(0, shownMax)) for (const promise of promises) console.log(`seed ${seed}: ${promise}`);
  console.log(
    `${seeds} seeds, ${facts} facts in ${seconds.toFixed(1)} s: ${broken.length} seeds broke a promise, ${missing.length} rare paths were never taken`,
  );
}
