// The promises under faults, for the unit run; SIM_SEEDS asks for more worlds. The long run is run.ts, which also asks for the rare paths.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, mutants, worldsMax } from './mutants.ts';
import { runSeeds } from './share.ts';
import { simulate } from './world.ts';

const seeds = Number(process.env['SIM_SEEDS'] ?? 300);

test(`${seeds} worlds with crashes, torn logs, outages and jumping clocks keep every promise`, async () => {
  const { broken, reached } = await runSeeds(1, seeds);
  assert.deepEqual(broken, [], `replay with: node test/sim/run.ts --seed ${broken[0]?.seed}`);
  assert.ok(reached.size > 50, 'faults were reached');
});

test('the same seed gives the same world, fact by fact', async () => {
  const [one, other] = [await simulate(7), await simulate(7)];
  assert.ok(one.ledger.facts.length > 100);
  assert.deepEqual(one.ledger.facts, other.ledger.facts);
});

for (const mutant of mutants) {
  test(`the checker finds ${mutant.says}`, async () => {
    const worlds = await find(mutant);
    assert.ok(worlds !== null, `nothing like ${mutant.caught} was found in ${worldsMax} worlds`);
  });
}
