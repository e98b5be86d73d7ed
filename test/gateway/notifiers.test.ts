// The notifiers of a gateway as it starts: one that cannot be made is no reason not to start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScrubber } from '../../adapters/kit/redact.ts';
import { registry } from '../../adapters/registry.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { createNotifiers } from '../../src/gateway/effects.ts';
import { createLogger } from '../../src/gateway/logger.ts';
import { plainNotification } from '../support/notification.ts';

const choosy = {
  name: 'choosy',
  options: {},
  create() {
    throw new Error('the certificate does not parse');
  },
};

test('B22: a notifier that cannot be made refuses with the reason, is said in the log, and the others work', async () => {
  let said = '';
  const logger = createLogger({ write: (text: string) => (said += text) }, systemClock);
  const around = {
    clock: systemClock,
    logger,
    stream: process.stderr,
    registry: { ...registry, notifiers: [...registry.notifiers, choosy] },
  };
  const config = { notifiers: { broken: { type: 'choosy', options: {} }, console: { type: 'console', options: {} } }, secrets: [] };
  const { byName, close } = createNotifiers(config, around, createScrubber());
  const outcome = await byName.get('broken')?.deliver(plainNotification, new AbortController().signal);
  assert.deepEqual(outcome, { outcome: 'refused', detail: 'this notifier is broken: the certificate does not parse' });
  assert.match(said, / error a notifier is broken: .* notifier="broken" error=".*the certificate does not parse/);
  assert.deepEqual([...byName.keys()], ['broken', 'console']);
  await close();
});
