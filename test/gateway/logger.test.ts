// The gateway's logger on a terminal: what an alert says is only read there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScrubber } from '../../adapters/kit/redact.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { createLogger } from '../../src/gateway/logger.ts';

test('a line of the logger is one line, and nothing in it acts on a terminal', () => {
  let said = '';
  const logger = createLogger({ write: (text: string) => (said += text) }, { now: () => 0, steady: () => 0 });
  logger.warn({ warnings: ['a\nb\u001b[31m\u009b31m\u202egpj.exe\u2066\u2028'] }, 'delivery in doubt');
  assert.equal(
    said,
    '1970-01-01T00:00:00.000Z warn delivery in doubt warnings=["a\\nb\\u001b[31m\\u009b31m\\u202egpj.exe\\u2066\\u2028"]\n',
  );
});

test('F6: equal lines are written once in a minute, with how often they were said', () => {
  let said: string[] = [];
  let now = 0;
  const logger = createLogger({ write: (text: string) => said.push(text.slice(25, -1)) }, { now: () => 0, steady: () => now });
  for (let time = 0; time < 100; time += 1) {
    logger.error({ why: 'full' }, 'engine in trouble');
    now += 500;
  }
  logger.warn({}, 'something else');
  assert.deepEqual(said, ['error engine in trouble why="full"', 'warn something else']);
  said = [];
  now = 60_000;
  logger.error({ why: 'full' }, 'engine in trouble');
  assert.deepEqual(said, ['error engine in trouble why="full" repeated=99']);
  said = [];
  now += 1_000;
  logger.error({ why: 'full' }, 'engine in trouble');
  now += 60_000;
  logger.warn({}, 'it is over');
  assert.deepEqual(said, ['error engine in trouble why="full" repeated=1', 'warn it is over']);
});

test('F6: what the logger remembers is bounded, and a line that is pushed out tells its count', () => {
  const said: string[] = [];
  const logger = createLogger({ write: (text: string) => said.push(text) }, { now: () => 0, steady: () => 0 });
  logger.error({}, 'first');
  logger.error({}, 'first');
  for (let time = 0; time < 300; time += 1) logger.warn({ time }, 'other');
  assert.equal(said.filter((line) => line.includes('first repeated=1')).length, 1);
});

test('F6: what happened is told each time: what a person asked for again has an answer again', () => {
  const said: string[] = [];
  const logger = createLogger({ write: (text: string) => said.push(text) }, { now: () => 0, steady: () => 0 });
  logger.info({}, 'reloaded');
  logger.info({}, 'reloaded');
  assert.equal(said.length, 2);
});

test('C16: a line holds no value that the scrubber knows, wherever it stands and before anything is cut', () => {
  const said: string[] = [];
  const { text } = createScrubber(['hidden-value-of-a-token']);
  const logger = createLogger({ write: (line: string) => said.push(line) }, { now: () => 0, steady: () => 0 }, text);
  logger.info({ a: { b: ['hidden-value-of-a-token'] } }, 'fields');
  logger.warn({ error: new Error(`${'x'.repeat(390)} hidden-value-of-a-token`) }, 'a bug');
  logger.error({ error: new GatewayError('internal', 'token hidden-value-of-a-token') }, 'broken');
  assert.equal(said.filter((line) => line.includes('[redacted]')).length, 2);
  for (const line of said) assert.doesNotMatch(line, /hidden/);
});
