import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkOf } from '../../../adapters/kit/event.ts';

test('C16, F14: a link of an alert tells nobody its user and password, and its host is what it says', () => {
  const hrefOf = (href: string): string | undefined => linkOf('Dashboard', href)?.href;
  assert.equal(hrefOf('https://reader:secret@zabbix.example/tr_events.php?id=1'), 'https://zabbix.example/tr_events.php?id=1');
  assert.equal(hrefOf('https://grafana.internal@evil.example/d/1'), 'https://evil.example/d/1');
  assert.equal(hrefOf('https://:secret@zabbix.example/'), 'https://zabbix.example/');
  assert.equal(hrefOf('https://zabbix.example/at@here?mail=a@b'), 'https://zabbix.example/at@here?mail=a@b');
  assert.equal(hrefOf('javascript:alert(1)'), undefined);
});
