// Warnings of the runtime: a negative span of our own is told, one that a package asks for is not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isOurs } from '../../src/gateway/runtime-warnings.ts';
import { packageDir } from '../../src/gateway/version.ts';

const at = (place: string): string => `TimeoutNegativeWarning: -5 is a negative number.
Timeout duration was set to 1.
    at new Timeout (node:internal/timers:233:17)
    at setTimeout (node:timers:125:19)
    at Thing.later (${place}:317:37)
    at main (file://${packageDir}/src/main.ts:30:1)`;

test('G2: an instant that we give for a span is told, and a package that does so is not', () => {
  const name = 'TimeoutNegativeWarning';
  assert.equal(isOurs({ name, stack: at(`file://${packageDir}/src/gateway/clock.ts`) }), true);
  assert.equal(isOurs({ name, stack: at(`${packageDir}/dist/src/gateway/clock.js`) }), true);
  assert.equal(isOurs({ name, stack: at(`${packageDir}/node_modules/client/src/queue/index.js`) }), false);
  assert.equal(isOurs({ name, stack: at('/usr/lib/node_modules/client/src/queue/index.js') }), false);
  assert.equal(isOurs({ name: 'ExperimentalWarning', stack: at(`${packageDir}/node_modules/client/index.js`) }), true);
});

test('G2: the runtime says who asked for the timer', () => {
  const program = "process.on('warning', ({ name, stack }) => console.log(JSON.stringify({ name, stack }))); setTimeout(() => {}, -5)";
  const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  const warning = JSON.parse(stdout) as { readonly name: string; readonly stack: string };
  assert.equal(warning.name, 'TimeoutNegativeWarning');
  assert.match(warning.stack, /at setTimeout .*\n\s+at \[eval\]:1:/);
  assert.equal(isOurs(warning), true);
});
