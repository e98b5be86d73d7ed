// Programs that measure something else than where they run: their own address, name and pod say nothing about what is in trouble.
//   X1  `instance` is a host only when nothing says that it is the address of such a program, or of one workload among many.
//   X2  An exporter that asks others is no host where a label names what it asked; what that names is.
import { isIP } from 'node:net';
import type { Entity } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import { hostOf } from '../kit/event.ts';

/** Their names are nobody else's: they tell of a whole cluster or of batch jobs. */
const gateways = /kube-?state-?metrics|push-?gateway|aggregation-?gateway/i;
/** Jobs that scrape a provider's cloud, or what other programs pushed. */
const relays =
  /\byace\b|cloud-?watch|stackdriver|(?:azure|gcp|aws|statsd|graphite|influxdb|collectd).*(?:exporter|metrics|monitor)|(?:otel|opentelemetry)-collector|prometheus-adapter|metrics-server/i;
/** They tell of the machine that they run on, also when they are a pod themselves. */
const machines = /(?:node-?exporter|windows-?exporter|wmi-?exporter|^node$|^windows$|^telegraf$)/i;
/** Programs that do nothing but ask other machines, by name; `blackbox` is what people call theirs. */
const probers =
  /(?:blackbox|snmp|ipmi|redfish|smokeping|ping|icmp|ssl|domain|cert|json|modbus|vmware|nut|probe)[-.]?(?:exporter|prober|monitor)|^blackbox/i;
/** The ports on which they, and exporters that may be asked for any database or server, listen by default. */
const exporterPorts: ReadonlySet<string> = new Set(
  '9104 9113 9114 9115 9116 9117 9119 9121 9127 9150 9161 9187 9197 9199 9216 9219 9221 9222 9250 9272 9290 9308 9374 9399 9427 9436 9610 9707 9719 7979'.split(
    ' ',
  ),
);
/** Labels that name what was asked. */
const targetLabels = ['target', '__param_target', 'param_target', 'probe_target', 'server', 'probe', 'url', 'uri'] as const;

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
  if (part !== 'host') return gateways.test(value.replaceAll('_', '-')) || (/exporter|blackbox/i.test(value) && targetOf(labels) !== null);
  if (label !== 'instance') return false;
  if (gateways.test(job) || relays.test(job) || gateways.test(value.replaceAll('_', '-'))) return true;
  if (isProber(value) || (isExporter(value, job) && targetOf(labels) !== null)) return true; // X2
  return !machines.test(job) && workloads.some((name) => own(labels, name) !== '');
}

/** What the exporter behind `instance` was asked about, as an address; null when nothing names another than the exporter's own. */
export function targetOf(labels: Labels): string | null {
  const instance = own(labels, 'instance');
  if (!isProber(instance) && !isExporter(instance, own(labels, 'job'))) return null;
  const exporter = nameIn(instance);
  const target = targetLabels.map((label) => own(labels, label)).find((value) => isAddress(value) && nameIn(value) !== exporter);
  return target === undefined || /^(?:localhost$|127\.|::1$)/i.test(nameIn(target)) ? null : target;
}

function isProber(instance: string): boolean {
  return !instance.includes('://') && probers.test(nameIn(instance).replaceAll('_', '-'));
}

/** By its name or its port; one that tells of its own machine is none. */
function isExporter(instance: string, job: string): boolean {
  if (instance.includes('://') || machines.test(job) || machines.test(nameIn(instance))) return false;
  return /exporter/i.test(nameIn(instance)) || exporterPorts.has(/:(\d+)$/.exec(instance)?.[1] ?? '');
}

/** `pg-exporter.mon.svc` of `pg-exporter.mon.svc:9187`, `shop.example` of `https://shop.example/health`. */
function nameIn(address: string): string {
  const host = address.includes('://') ? (URL.parse(address)?.hostname ?? '') : hostOf(address.split('/', 1)[0] ?? '');
  return host.toLowerCase();
}

/** An address, a full name, a name with a port or a number, or a URL: no word of another kind. */
function isAddress(value: string): boolean {
  return isIP(nameIn(value)) !== 0 || /:\/\/|^[a-z\d-]+(?:\.[a-z\d-]+)+(?::\d+)?(?:\/|$)|^[a-z\d-]+:\d+$|^[a-z][a-z\d-]*\d$/i.test(value);
}

function own(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
