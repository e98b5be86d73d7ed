// Programs that measure something else than where they run: their own address, name and pod say nothing about what is in trouble.
//   X1  `instance` is a host only when nothing says that it is the address of such a program, or of one workload among many.
import type { Entity } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';

/** Their names are nobody else's: they tell of a whole cluster or of batch jobs. */
const gateways = /kube-?state-?metrics|push-?gateway|aggregation-?gateway/i;
/** Jobs that scrape a provider's cloud, or what other programs pushed. */
const relays =
  /\byace\b|cloud-?watch|stackdriver|(?:azure|gcp|aws|statsd|graphite|influxdb|collectd).*(?:exporter|metrics|monitor)|(?:otel|opentelemetry)-collector|prometheus-adapter|metrics-server/i;
/** They tell of the machine that they run on, also when they are a pod themselves. */
const machines = /(?:node-?exporter|windows-?exporter|wmi-?exporter|^node$|^windows$|^telegraf$)/i;
/** What an alert names when it is about one workload. */
const workloads = [
  'pod',
  'exported_pod',
  'pod_name',
  'namespace',
  'exported_namespace',
  'kubernetes_namespace',
  'deployment',
  'statefulset',
  'daemonset',
  'replicaset',
  'cronjob',
  'job_name',
  'persistentvolumeclaim',
  'exported_job',
] as const;
/** Labels that a scrape puts on every series of a target, so that they name the program that was scraped. */
const scraped: ReadonlySet<string> = new Set(['instance', 'service', 'pod', 'app', 'app_kubernetes_io_name', 'application']);

/** Whether this label names who measured, not what was measured (X1). */
export function speaksForOthers(labels: Labels, part: keyof Entity, label: string): boolean {
  if (!scraped.has(label)) return false;
  const value = own(labels, label);
  const job = own(labels, 'job').replaceAll('_', '-');
  if (part !== 'host') return gateways.test(value.replaceAll('_', '-'));
  if (label !== 'instance') return false;
  if (gateways.test(job) || relays.test(job) || gateways.test(value.replaceAll('_', '-'))) return true;
  return !machines.test(job) && workloads.some((name) => own(labels, name) !== '');
}

function own(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
