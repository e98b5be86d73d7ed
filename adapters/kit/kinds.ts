// What stands in the registry: a kind of source, notifier, action family, log or store, as its folder describes it.
// A kind says its name in quench.yaml, the JSON Schema of its options, and how one is made. The lists are adapters/registry.ts.
//   O1  Options reach `create` or `open` only after the schema beside it admitted them; secrets in them are marked `writeOnly`.
import type { Writable } from 'node:stream';
import type { Json } from '../../src/core/json.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Action } from '../../src/ports/action.ts';
import type { Backbone, BackboneWatch } from '../../src/ports/backbone.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { OpenAlerts } from '../../src/ports/open-alerts.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import type { SourceRoutes } from '../../src/ports/routes.ts';
import type { Source } from '../../src/ports/source.ts';
import type { OpenedSeries, SeriesKeep } from '../../src/ports/series.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Http } from './http-client.ts';
import type { Logger } from '../../src/ports/logger.ts';

export type Options = { readonly [name: string]: Json };

export interface AskDeps {
  readonly http: Http;
  readonly clock: Clock;
}

/** How a kind of source is asked what is open there: `reconcile` of an endpoint. */
export interface AskKind {
  /** JSON Schema of `reconcile` without what every endpoint has there (`every`, `unheard`, `grace`). */
  readonly options: object;
  create(options: Options, deps: AskDeps): OpenAlerts;
}

/** A kind of monitoring system, named by `source` of an endpoint. */
export interface SourceKind {
  readonly name: string;
  /** JSON Schema of `options` of the endpoint. */
  readonly options: object;
  create(options: Options): Source;
  /** The HTTP API that the vendor's own tools expect of whoever takes their alerts; served once, however many endpoints there are. */
  readonly routes?: SourceRoutes;
  /** Missing of a kind that cannot be asked. */
  readonly ask?: AskKind;
}

export interface NotifierDeps {
  readonly http: Http;
  readonly clock: Clock;
  /** Standard output of the gateway. */
  readonly stream: Writable;
}

/** A kind of notifier, named by `type` of an entry under `notifiers`. */
export interface NotifierKind {
  readonly name: string;
  /** JSON Schema of the entry without what every notifier has there (`type`, `person`). */
  readonly options: object;
  /** Why a message under these options reaches several people, so that it cannot be one person's; null when it may be one's. */
  sharedBy?(options: Options): string | null;
  create(options: Options, deps: NotifierDeps): Notifier;
}

/** Actions that share a configuration. Its actions run in the executor process, so its folder must load without the gateway's packages. */
export interface ActionFamily {
  /** The part of its actions' names before the slash, and its key under `actions` in quench.yaml. */
  readonly name: string;
  /** JSON Schema of what the operator allows it; without an entry in quench.yaml `create` is called with `{}`, and nothing may be allowed then. */
  readonly options: object;
  /** What about options that load is hardly meant, with where: asked by `quench check`, on the machine that it runs on. */
  doubts?(options: Options): readonly { readonly pointer: string; readonly message: string }[];
  /** Every action of the family. Called in the gateway too, to know what there is: it opens nothing. Rejects options with `invalid_config`. */
  create(options: Options, clock: Clock): readonly Action[];
}

export interface LogDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watch: BackboneWatch;
  /** The store of this process, for copies that are quicker to search. */
  readonly local: Store;
  /** Unlike any other process, living or dead. */
  readonly instance: string;
  readonly retentionMs: Millis;
}

/** A log that several processes share, named by `log.type`. Opening it does not wait for its servers. */
export interface LogKind {
  readonly name: string;
  /** JSON Schema of `log` without `type`. */
  readonly options: object;
  open(options: Options, deps: LogDeps): Promise<Backbone>;
}

export interface StoreDeps {
  readonly clock: Clock;
  /** The data directory of this process. */
  readonly dir: string;
  /** `gateway`: all that it keeps. `spool`: what it takes in while a shared log is away; read once, in order, so little of it is held in memory. */
  readonly use: 'gateway' | 'spool';
  /** Beyond them: `overloaded`. */
  readonly limits: { readonly queueRecordsMax: number; readonly queueBytesMax: number; readonly lettersMax: number };
}

/** A store of one process, named by `data.type`: the embedded log, the state of decisions, the read model and the dead letters. */
export interface StoreKind {
  readonly name: string;
  open(deps: StoreDeps): Promise<Store>;
}

export interface SeriesDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory of this process. */
  readonly dir: string;
  readonly keep: SeriesKeep;
}

/** Who keeps the time series, named by a member of `series`. Opening it does not wait for its servers. */
export interface SeriesKind {
  readonly name: string;
  /** JSON Schema of that member. */
  readonly options: object;
  /** What is wrong with options that their schema lets pass, with where among them; null when nothing is. */
  fault?(options: Options): { readonly pointer: string; readonly message: string } | null;
  open(options: Options, deps: SeriesDeps): Promise<OpenedSeries>;
}

/** Everything that a gateway can speak to. */
export interface Registry {
  readonly sources: readonly SourceKind[];
  readonly notifiers: readonly NotifierKind[];
  readonly actions: readonly ActionFamily[];
  /** Logs other than the embedded one. */
  readonly logs: readonly LogKind[];
  /** The first is what quench.yaml means when it names none. */
  readonly stores: readonly [StoreKind, ...StoreKind[]];
  /** The first is what quench.yaml means when it names none. */
  readonly series: readonly [SeriesKind, ...SeriesKind[]];
}

/** Options as the type that their schema stands for (O1). */
export function checked<T>(options: Options): T {
  return options as T;
}
