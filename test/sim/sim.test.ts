// What the simulation itself must be: the same world for the same seed, and a checker that finds each mutant. Its worlds are run.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutants, worldsMax } from './mutants.ts';
import { findMutants } from './share.ts';
import { simulate } from './world.ts';

test('the same seed gives the same world, fact by fact', async () => {
  const [one, other] = [await simulate(7), await simulate(7)];
  assert.ok(one.ledger.facts.length > 100);
  assert.deepEqual(one.ledger.facts, other.ledger.facts);
});

const found = findMutants(mutants);
for (const mutant of mutants) {
  test(`the checker finds ${mutant.says}`, async () => {
    const { worlds } = (await found.get(mutant)) ?? {};
    assert.ok(worlds, `nothing like ${mutant.caught} was found in ${worldsMax} worlds`);
  });
}
