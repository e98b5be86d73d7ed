// By what raw pages are told apart from those of another installation, where no desk is loaded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installationName } from '../../src/gateway/installation-name.ts';

const data = (dir: string) => ({ data: { type: 'sqlite', dir }, log: null });
const logOf = (values: readonly object[]) => ({
  read: async (_topic: string, _partition: number, from: number, max: number) =>
    values.map((value, offset) => ({ partition: 0, offset, scope: '*', value })).slice(from, from + max),
});

test('F6: the name on the log is the name; without one two directories differ, and each stays what it is', async () => {
  const named = logOf([{ type: 'AlertSeen' }, { type: 'InstallationNamed', installation: 'abc' }]);
  assert.equal(await installationName(data('one'), named), 'abc');
  const one = await installationName(data('one'), logOf([]));
  assert.match(one, /^[0-9a-f]{12}$/);
  assert.equal(await installationName(data('one'), logOf([])), one);
  assert.notEqual(await installationName(data('two'), logOf([])), one);
});
