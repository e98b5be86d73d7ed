// The registry: everything that the gateway can speak to, one line a thing. Adding one is a folder and a line here (docs/extending.md).
import { actionFamilies } from './action-registry.ts';
import { consoleNotifier } from './console/notifier.ts';
import { influxSeriesKind } from './influx/kind.ts';
import { kafkaLog } from './kafka/kind.ts';
import type { Registry } from './kit/kinds.ts';
import { pagerdutyNotifier } from './pagerduty/notifier.ts';
import { slackNotifier } from './slack/notifier.ts';
import { smtpNotifier } from './smtp/notifier.ts';
import { webhookNotifier } from './webhook/notifier.ts';
import { sourceKinds } from './source-registry.ts';
import { sqliteStores } from './sqlite/kind.ts';
import { sqliteSeriesKind } from './sqlite/series-kind.ts';

export const registry: Registry = {
  sources: sourceKinds,
  notifiers: [consoleNotifier, pagerdutyNotifier, slackNotifier, smtpNotifier, webhookNotifier],
  actions: actionFamilies,
  logs: [kafkaLog],
  stores: [sqliteStores],
  series: [sqliteSeriesKind, influxSeriesKind],
};
