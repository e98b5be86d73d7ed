import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadCases } from '../../src/config/playbook/cases.ts';
import { loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
import { exchanged, linesOf, playbookDeps } from './support.ts';

const dir = new URL('../../playbooks', import.meta.url).pathname;
const read = (name: string): { readonly file: string; readonly text: string } => ({
  file: name,
  text: readFileSync(join(dir, name), 'utf8'),
});
const names = readdirSync(dir);
const loaded = loadPlaybooks(names.filter((name) => !name.endsWith('.test.yaml')).map(read), playbookDeps);
const playbooks = loaded.ok ? loaded.value.map(({ playbook }) => playbook) : [];
const testFiles = names.filter((name) => name.endsWith('.test.yaml')).map(read);

const good = `playbook: restart-service
cases:
  - name: it comes back
    given:
      mode: auto
      alerts:
        - { name: ServiceDown, severity: critical, entity: { service: checkout } }
        - { at: 40s, claim: cleared, name: ServiceDown, entity: { service: checkout } }
      approval: { at: 1m, approved: true }
    actions:
      restart: { outcome: ok, output: { pid: 7 }, takes: 2s }
      proof1: [{ outcome: failed }, { outcome: unknown, detail: gone }]
    then:
      ended: succeeded
      paged: false
      calls:
        - { step: restart, uses: process/restart, with: { name: checkout } }
`;
const load = (text: string): ReturnType<typeof loadCases> => loadCases([{ file: 'c.test.yaml', text }], playbooks);

describe('test cases of playbooks', () => {
  it('every shipped playbook has its file, and every file loads', () => {
    const result = loadCases(testFiles, playbooks);
    assert.deepEqual(linesOf(result), []);
    assert(result.ok);
    assert.deepEqual([...new Set(result.value.map((one) => one.playbook))].sort(), playbooks.map(({ name }) => name).sort());
  });

  it('alerts become events, one identity for firing and cleared, answers become outcomes', () => {
    const result = load(good);
    assert(result.ok, linesOf(result).join('\n'));
    const [one] = result.value;
    assert(one !== undefined);
    assert.equal(one.mode, 'auto');
    assert.deepEqual(one.approval, { atMs: 60_000, approved: true });
    assert.equal(one.untilMs, 3_600_000);
    const [firing, cleared] = one.alerts;
    assert.equal(firing?.event.fingerprint, cleared?.event.fingerprint);
    assert.match(firing?.event.fingerprint ?? '', /^[0-9a-f]{16}$/);
    assert.equal(cleared?.atMs, 40_000);
    assert.equal(cleared?.event.claim, 'cleared');
    assert.deepEqual(one.answers.get('restart'), [{ takesMs: 2_000, outcome: { outcome: 'ok', output: { pid: 7 } } }]);
    assert.deepEqual(
      one.answers.get('proof1')?.map(({ outcome }) => outcome.outcome),
      ['failed', 'unknown'],
    );
    assert.deepEqual(one.expected, {
      ended: 'succeeded',
      paged: false,
      calls: [{ step: 'restart', uses: 'process/restart', with: { name: 'checkout' } }],
    });
  });

  const wrongs: readonly { readonly says: string; readonly part: string; readonly by: string; readonly want: RegExp }[] = [
    {
      says: 'an unknown playbook',
      part: 'playbook: restart-service',
      by: 'playbook: restart-servic',
      want: /:1:11: playbook: expected the name of a playbook, seen "restart-servic"; did you mean "restart-service"\?/,
    },
    {
      says: 'an answer for a step that is not there',
      part: '      restart: {',
      by: '      restrat: {',
      want: /:11:7: cases\[0\]\.actions\.restrat: restart-service has no step "restrat"; did you mean "restart"\?/,
    },
    {
      says: 'a call of a step that is not there',
      part: 'step: restart',
      by: 'step: proof2',
      want: /:17:19: cases\[0\]\.then\.calls\[0\]\.step: restart-service has no step "proof2"; did you mean "proof1"\?/,
    },
    {
      says: 'a call of another action',
      part: 'process/restart',
      by: 'process/status',
      want: /:17:\d+: .*expected process\/restart, which step restart uses, seen process\/status/,
    },
    {
      says: 'an end that is none',
      part: 'ended: succeeded',
      by: 'ended: success',
      want: /:14:14: cases\[0\]\.then\.ended: expected one of .*seen "success"/,
    },
    {
      says: 'no word on paging',
      part: '      paged: false\n',
      by: '',
      want: /:13:5: cases\[0\]\.then: expected the key "paged", seen none/,
    },
    {
      says: 'an outcome that is none',
      part: 'outcome: ok',
      by: 'outcome: fine',
      want: /:11:\d+: cases\[0\]\.actions\.restart\.outcome: expected one of ok, failed, unknown, seen "fine"/,
    },
    {
      says: 'a key of the full format',
      part: '    actions:',
      by: '    crash: {}\n    actions:',
      want: /:10:5: cases\[0\]\.crash: "crash" is not supported yet/,
    },
    {
      says: 'a claim that is none',
      part: 'claim: cleared',
      by: 'claim: resolved',
      want: /:8:\d+: .*claim: expected one of firing, cleared, acknowledged, noted, seen "resolved"/,
    },
  ];
  for (const { says, part, by, want } of wrongs) {
    it(`${says} is told with its place`, () => {
      const lines = linesOf(load(exchanged(good, part, by)));
      assert(
        lines.some((line) => want.test(line)),
        lines.join('\n') || '(it loaded)',
      );
    });
  }
});
