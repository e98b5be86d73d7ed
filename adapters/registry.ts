// The registry: everything that the gateway can speak to, one line a thing. Adding one is a folder and a line here (docs/extending.md).
import { actionFamilies } from './action-registry.ts';
import { consoleNotifier } from './console/notifier.ts';
import { kafkaLog } from './kafka/kind.ts';
import type { Registry } from './kit/kinds.ts';
import { nagiosSource } from './nagios/kind.ts';
import { newrelicSource } from './newrelic/kind.ts';
import { pagerdutyNotifier } from './pagerduty/notifier.ts';
import { prometheusSource } from './prometheus/kind.ts';
import { slackNotifier } from './slack/notifier.ts';
import { smtpNotifier } from './smtp/notifier.ts';
import { webhookNotifier } from './webhook/notifier.ts';
import { sqliteStores } from './sqlite/kind.ts';
import { zabbixSource } from './zabbix/kind.ts';

export const registry: Registry = {
  sources: [prometheusSource, nagiosSource, zabbixSource, newrelicSource],
  notifiers: [consoleNotifier, pagerdutyNotifier, slackNotifier, smtpNotifier, webhookNotifier],
  actions: actionFamilies,
  logs: [kafkaLog],
  stores: [sqliteStores],
};
