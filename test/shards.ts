// Runs the tests of the named files in one process per core, each with its share of the files; for npm run test:unit.
// The first share is shown as it goes, the others when they have ended. Exit code 1 when one of them failed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';

const files = process.argv.slice(2);
const shares = Math.min(4, availableParallelism());

const told = await Promise.all(Array.from({ length: shares }, (_, place) => run(place + 1)));
for (const { output } of told) process.stdout.write(output);
const failed = told.filter(({ code }) => code !== 0);
console.log(`${shares} shares of the unit tests, ${failed.length} of them failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run(share: number): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = ['--test', '--test-isolation=none', `--test-shard=${share}/${shares}`, ...files];
  const child = spawn(process.execPath, args, { stdio: ['inherit', share === 1 ? 'inherit' : 'pipe', 'inherit'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const output = child.stdout === null ? '' : await text(child.stdout);
  const [code] = await ended;
  return { code, output };
}
