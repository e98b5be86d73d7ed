// The registry: what the gateway can speak to, one line per adapter. Adding one is a folder and a line here.
import type { Writable } from 'node:stream';
import type { Json } from '../src/core/json.ts';
import type { Backbone, BackboneWatch } from '../src/ports/backbone.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Notifier } from '../src/ports/notifier.ts';
import type { Source } from '../src/ports/source.ts';
import type { Store } from '../src/ports/store.ts';
import { ConsoleConfig, createConsole } from './console/notifier.ts';
import { HttpConfig } from './http/config.ts';
import { openKafka } from './kafka/backbone.ts';
import { KafkaOptions } from './kafka/options.ts';
import type { Http } from './kit/http-client.ts';
import type { Say } from './kit/say.ts';
import { NagiosOptions } from './nagios/options.ts';
import { nagios } from './nagios/source.ts';
import { NewRelicOptions } from './newrelic/options.ts';
import { newrelic } from './newrelic/source.ts';
import { createPagerDuty, PagerDutyConfig } from './pagerduty/notifier.ts';
import { ProcessConfig } from './process/config.ts';
import { PrometheusOptions } from './prometheus/options.ts';
import { prometheus } from './prometheus/source.ts';
import { ShellConfig } from './shell/config.ts';
import { createSlack, SlackConfig } from './slack/notifier.ts';
import { createSmtp, SmtpConfig } from './smtp/notifier.ts';
import { createWebhook, WebhookConfig } from './webhook/notifier.ts';
import { ZabbixOptions } from './zabbix/options.ts';
import { zabbix } from './zabbix/source.ts';

export type Options = { readonly [name: string]: Json };

export interface SourceKind {
  readonly name: string;
  /** JSON Schema; the loader of quench.yaml checks options by it, so `create` may take them as its type. */
  readonly options: object;
  create(options: Options): Source;
}

export interface NotifierDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly stream: Writable;
}

export interface NotifierKind {
  readonly name: string;
  readonly options: object;
  create(options: Options, deps: NotifierDeps): Notifier;
}

export interface LogDeps {
  readonly clock: Clock;
  readonly say: Say;
  readonly watch: BackboneWatch;
  /** The store of this process, for copies that are quicker to search. */
  readonly local: Store;
  /** Unlike any other process, living or dead. */
  readonly instance: string;
  readonly retentionMs: number;
}

/** A log that several processes share. Opening it does not wait for its servers. */
export interface LogKind {
  readonly name: string;
  readonly options: object;
  open(options: Options, deps: LogDeps): Promise<Backbone>;
}

/** Options were checked by the schema beside it: the type follows from that. */
function checked<T>(options: Options): T {
  return options as T;
}

export const sources: readonly SourceKind[] = [
  { name: 'prometheus', options: PrometheusOptions, create: (options) => prometheus(checked(options)) },
  { name: 'nagios', options: NagiosOptions, create: (options) => nagios(checked(options)) },
  { name: 'zabbix', options: ZabbixOptions, create: (options) => zabbix(checked(options)) },
  { name: 'newrelic', options: NewRelicOptions, create: (options) => newrelic(checked(options)) },
];

export const notifiers: readonly NotifierKind[] = [
  { name: 'console', options: ConsoleConfig, create: (options, deps) => createConsole(checked(options), deps) },
  { name: 'pagerduty', options: PagerDutyConfig, create: (options, deps) => createPagerDuty(checked(options), deps) },
  { name: 'slack', options: SlackConfig, create: (options, deps) => createSlack(checked(options), deps) },
  { name: 'smtp', options: SmtpConfig, create: (options, deps) => createSmtp(checked(options), deps) },
  { name: 'webhook', options: WebhookConfig, create: (options, deps) => createWebhook(checked(options), deps) },
];

/** Kinds of action by the part of their name before the slash; what they do is actions.ts, in the executor process. */
export const actionKinds: readonly { readonly name: string; readonly options: object }[] = [
  { name: 'shell', options: ShellConfig },
  { name: 'http', options: HttpConfig },
  { name: 'process', options: ProcessConfig },
];

/** Logs other than the embedded one. */
export const logs: readonly LogKind[] = [
  { name: 'kafka', options: KafkaOptions, open: (options, deps) => openKafka(checked(options), deps) },
];
