// The name by which the gateway signs: in what forms nobody else may have it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnName } from '../../src/core/own-name.ts';

test('B18: the name of the gateway is its own in every form that people read as it, and no other name is', () => {
  for (const name of ['quench', 'Quench', ' QUENCH ', 'ｑｕｅｎｃｈ', 'quen\u200bch', 'q u e n c h']) assert.ok(isOwnName(name), name);
  for (const name of ['quencher', 'ann', '', 'quench-ops', 'quench via ops', 'ops@quench']) assert.ok(!isOwnName(name), name);
});
