// How the gateway's process begins: under its own number, with what must be said to V8 before Node starts, and as somebody has it otherwise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { realGateway } from './gateway.ts';

const flag = '--max-semi-space-size=';
const program = fileURLToPath(new URL('../../bin/quench.js', import.meta.url));
const config = `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./data }
endpoints: { prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } } } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
playbooks: { dir: ./playbooks }
`;

/** How the process was started that listens, as the system tells it. */
async function commandLine(t: TestContext): Promise<readonly string[]> {
  const gateway = await realGateway({ config, playbooks: {} });
  t.after(() => gateway.remove());
  await gateway.start();
  const line = readFileSync(`/proc/${gateway.pid}/cmdline`, 'utf8').split('\0'); // of the number that spawn gave
  await gateway.stop();
  return line;
}

test('the gateway keeps collections of young garbage short, in the process that was started', async (t) => {
  const flags = (await commandLine(t)).filter((word) => word.startsWith(flag));
  assert.deepEqual(flags, [`${flag}8`]);
});

test('what somebody says of it holds', async (t) => {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${before ?? ''} ${flag}16`;
  t.after(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  });
  assert.deepEqual(
    (await commandLine(t)).filter((word) => word.startsWith(flag)),
    [],
  );
});

test('words and exit codes of a start that fails are as they are', () => {
  const done = spawnSync(process.execPath, [program, 'serve', '--config', '/nowhere/quench.yaml'], { encoding: 'utf8' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /^quench: invalid_config: .*\n.*nowhere\/quench\.yaml:1:1: /);
  assert.doesNotMatch(done.stderr, /warning/i);
});
