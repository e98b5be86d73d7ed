// A notification to start from; a test changes what it is about.
import type { Notification } from '../../src/core/page/notification.ts';

export const plainNotification: Notification = {
  id: 'n7.p3.default',
  kind: 'page',
  dedupKey: 'quench:i42.default',
  incident: 'i42.default',
  page: 'p3.default',
  title: 'disk full on db1',
  severity: 'critical',
  text: 'The playbook freed 2 MiB of 40 GiB.\nA person is needed.',
  source: 'db1.example.org',
  at: Date.UTC(2026, 10, 20, 3, 14, 15),
  facts: [
    { name: 'host', value: 'db1.example.org' },
    { name: 'attempts', value: '2' },
  ],
  links: [{ text: 'incident', href: 'https://quench.example.org/incidents/i42.default' }],
};
