// The kinds of sources, one line each. A list of its own, because the thread that parses large deliveries reads it and must load nothing else
// (registry.ts loads logs, stores and all notifiers).
import type { SourceKind } from './kit/kinds.ts';
import { nagiosSource } from './nagios/kind.ts';
import { newrelicSource } from './newrelic/kind.ts';
import { prometheusSource } from './prometheus/kind.ts';
import { zabbixSource } from './zabbix/kind.ts';

export const sourceKinds: readonly SourceKind[] = [prometheusSource, nagiosSource, zabbixSource, newrelicSource];
