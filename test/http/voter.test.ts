// Whose word the answer to a playbook that asks is, by the link in a page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { voterOf } from '../../src/http/door/voter.ts';

const deps = { approvals: () => ({ byLink: true, approvers: [] }), callerOf: () => null };
const claim = { scope: 'default', incident: 'i1.default', page: 'p1.default', to: 'ops', expiresAt: 1 } as const;

test('B18: nobody answers a playbook in the name of the gateway', () => {
  for (const word of ['yes', 'no'] as const) {
    const said = (name: string) => voterOf(deps, claim, { name, note: '', field: () => null }, word);
    const refused = said('Quench');
    assert.equal(refused.ok, false);
    assert.match(refused.ok ? '' : refused.error.says, /by which the gateway signs what it does itself: write yours/);
    assert.ok(said('anna').ok);
  }
});
