import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strictAjv } from '../../../src/ports/json-schema.ts';
import { ConsoleConfig } from '../../../adapters/console/notifier.ts';
import { PagerDutyConfig } from '../../../adapters/pagerduty/notifier.ts';
import { SlackConfig } from '../../../adapters/slack/notifier.ts';
import { SmtpConfig } from '../../../adapters/smtp/notifier.ts';
import { WebhookConfig } from '../../../adapters/webhook/notifier.ts';

const ajv = strictAjv({ allErrors: true });
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

for (const [name, schema, good, bad] of [
  ['console', ConsoleConfig, {}, [{ colour: true }]],
  [
    'pagerduty',
    PagerDutyConfig,
    { routingKey: 'R0123456789abcdef0123456789abcde', url: 'https://events.eu.pagerduty.com', timeoutMs: 10_000 },
    [{}, { routingKey: 'short' }, { routingKey: 'R0123456789abcdef0123456789abcde', timeoutMs: 0 }],
  ],
  ['slack', SlackConfig, { url: 'https://hooks.example.org/services/x' }, [{}, { url: 1 }, { url: 'https://x', channel: '#ops' }]],
  [
    'webhook',
    WebhookConfig,
    { url: 'https://hooks.example.org/', secrets: [secret], headers: { authorization: 'Bearer x' } },
    [
      { url: 'https://x', secrets: [] },
      { url: 'https://x', secrets: ['plain'] },
      { url: 'https://x', secrets: [secret], headers: { a: 1 } },
    ],
  ],
  [
    'smtp',
    SmtpConfig,
    { host: 'mail.example.org', port: 587, tls: 'starttls', user: 'q', password: 'p', from: 'q@example.org', to: ['o+n-c@example.org'] },
    [
      { host: 'mail.example.org', from: 'q@example.org', to: [] },
      { host: 'mail.example.org', from: 'q@example.org', to: ['a@b\r\nBcc: c@d'] },
      { host: 'mail.example.org', from: 'q@example.org', to: ['a@b\n'] },
      { host: 'mail.example.org', from: 'Q <q@example.org>', to: ['a@b'] },
      { host: 'mail.example.org', from: 'q@example.org', to: ['a@b'], ca: './ca.pem' },
      { host: 'mail.example.org', from: 'q@example.org', to: ['a@b'], tls: 'maybe' },
    ],
  ],
] as const) {
  test(`the options of ${name}: what the README shows passes, a slip does not`, () => {
    const fits = ajv.compile(schema);

    assert.ok(fits(good), JSON.stringify(fits.errors));
    for (const options of bad) assert.ok(!fits(options), JSON.stringify(options));
  });
}
