// Releases of SQLite by the published list of those with the WAL-reset bug.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayDamageStores } from '../../../adapters/sqlite/release.ts';

test('releases with the WAL-reset bug are known, those with its repair trusted', () => {
  for (const version of ['3.7.0', '3.44.5', '3.46.1', '3.50.6', '3.51.2', '2.8.17', '', undefined])
    assert.equal(mayDamageStores(version), true, version);
  for (const version of ['3.44.6', '3.50.7', '3.51.3', '3.53.4', '4.0.0']) assert.equal(mayDamageStores(version), false, version);
});

test('the Node that runs these tests brings a trusted one', () => assert.equal(mayDamageStores(process.versions.sqlite), false));
