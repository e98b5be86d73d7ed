import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkConfig, usedConfig } from '../../src/offline/load.ts';
import { problemLine } from '../../src/config/yaml/problems.ts';

const config = `
api:
  tokens:
    admin: { role: admin, secret: { file: admin.token } }
    rita: { role: read, secret: { env: RITA } }
endpoints:
  am: { source: prometheus, auth: { bearer: { file: ingest.token } } }
  nagios: { source: nagios, auth: { bearer: { file: ingest.token } } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
playbooks: { dir: playbooks }
`;

/** A configuration on the disk; each part may be made worse. */
function house(t: TestContext, change: { readonly admin?: string; readonly ingest?: string; readonly mode?: number } = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'quench-careful-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'quench.yaml'), config);
  writeFileSync(join(dir, 'admin.token'), change.admin ?? 'a-token-of-the-admin\n', { mode: 0o600 });
  writeFileSync(join(dir, 'ingest.token'), change.ingest ?? 'a-token-of-the-senders\n', { mode: 0o600 });
  chmodSync(join(dir, 'admin.token'), change.mode ?? 0o600);
  return dir;
}

function saidOf(dir: string, rita = 'a-token-of-rita-the-reader'): readonly string[] {
  const started = usedConfig(dir, { RITA: rita });
  assert.ok(started.ok, 'a start takes it all the same: a gateway that does not start calls nobody');
  const checked = checkConfig(dir, { RITA: rita }, () => {});
  return checked.ok ? [] : checked.error.map((problem) => problemLine(problem).replace(`${dir}/`, ''));
}

test('F13: secrets of their own, long enough, in files that are their owner’s alone, are fine', (t) => {
  assert.deepEqual(saidOf(house(t)), []);
});

test('F13: check refuses a secret that can be guessed', (t) => {
  assert.deepEqual(saidOf(house(t, { admin: 'x\n' })), [
    'quench.yaml:4:35: api.tokens.admin.secret: expected at least 16 characters, seen 1: make one with openssl rand -base64 24',
  ]);
});

test('F13: check refuses one secret for two doors, and never shows it', (t) => {
  const shared = 'one-token-for-everything';
  const said = saidOf(house(t, { admin: shared, ingest: shared }), shared);
  assert.equal(said.length, 3);
  for (const line of said) assert.match(line, /expected a secret of its own, seen that of the token admin/);
  assert.doesNotMatch(said.join(), new RegExp(shared));
});

for (const [mode, may] of [
  [0o666, 'change'],
  [0o620, 'change'],
  [0o602, 'change'],
  [0o644, 'read'],
] as const) {
  test(`F13: check refuses a file of mode ${mode.toString(8)}, which others may ${may}`, (t) => {
    const [line = ''] = saidOf(house(t, { mode }));
    assert.match(
      line,
      new RegExp(`expected admin\\.token to be its owner's alone, seen a file that others may ${may}: chmod 600 admin\\.token`),
    );
  });
}
