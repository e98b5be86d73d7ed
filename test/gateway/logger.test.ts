// The gateway's logger on a terminal: what an alert says is only read there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/gateway/logger.ts';

test('a line of the logger is one line, and nothing in it acts on a terminal', () => {
  let said = '';
  const logger = createLogger({ write: (text: string) => (said += text) }, { now: () => 0 });
  logger.warn({ warnings: ['a\nb\u001b[31m\u009b31m\u202egpj.exe\u2066\u2028'] }, 'delivery in doubt');
  assert.equal(
    said,
    '1970-01-01T00:00:00.000Z warn delivery in doubt warnings=["a\\nb\\u001b[31m\\u009b31m\\u202egpj.exe\\u2066\\u2028"]\n',
  );
});
