// What a gateway keeps and what it shares: its own store, the spool's, and the log that the configuration names.
import { randomBytes } from 'node:crypto';
import type { Registry, StoreDeps } from '../../adapters/kit/kinds.ts';
import type { Config } from '../config/quench/types.ts';
import { GatewayError, invariant } from '../core/errors.ts';
import { everyPartition } from '../engine/assignments.ts';
import type { Backbone, BackboneWatch } from '../ports/backbone.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { SharedRole, Shares } from '../ports/shares.ts';
import type { Notebook, OpenedSeries } from '../ports/series.ts';
import type { Store } from '../ports/store.ts';
import { registryOf } from './surroundings.ts';

interface Around {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry?: Registry;
}

/** All that this process keeps. */
export function openStore(config: Config, around: Around): Promise<Store> {
  return open(config, around, 'gateway');
}

/** Apart from the read model, so that neither's limits or failures are the other's. */
export function openSpoolStore(config: Config, around: Around): Promise<Store> {
  return open(config, around, 'spool');
}

function open(config: Config, around: Around, use: StoreDeps['use']): Promise<Store> {
  const { queueRecordsMax, queueBytesMax, deadLettersMax: lettersMax } = config.limits;
  const [first, ...others] = registryOf(around).stores;
  // A configuration that loads names none that is not there.
  const kind = others.find(({ name }) => name === config.data.type) ?? first;
  return kind.open({ clock: around.clock, dir: config.data.dir, use, limits: { queueRecordsMax, queueBytesMax, lettersMax } });
}

/** The time series, for a gateway that shows what was decided, and the notebook of who writes them. */
export async function openSeries(config: Config, around: Around): Promise<OpenedSeries & { readonly notebook: Notebook }> {
  const [first, ...others] = registryOf(around).series;
  // A configuration that loads names none that is not there.
  const kind = others.find(({ name }) => name === config.series.type) ?? first;
  const { clock, logger } = around;
  const deps = { clock, logger, dir: config.data.dir, keep: config.series.keep };
  const opened = await kind.open(config.series.options, deps);
  const { notebook } = opened;
  if (notebook !== null) return { ...opened, notebook };
  try {
    const local = await first.open({}, deps);
    invariant(local.notebook !== null, 'the first keeper of time series keeps notes');
    const close = async (): Promise<void> => void (await Promise.all([opened.close(), local.close()]));
    return { ...opened, notebook: local.notebook, found: [...local.found, ...opened.found], close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Unlike any other process, living or dead. */
export function newInstance(): string {
  return `${process.pid}-${randomBytes(8).toString('hex')}`;
}

/** The store of a data directory and the log of a configuration, for what works on them while no gateway of that data runs. */
export async function openData(config: Config, around: Around): Promise<{ store: Store; backbone: Backbone }> {
  const store = await openStore(config, around);
  try {
    const watch: BackboneWatch = { appended: () => {}, rebalanced: () => {} };
    return { store, backbone: await openBackbone(config, { store, instance: newInstance(), around, watch }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The log that the configuration names; without one this process is alone and its own store is all there is. */
export async function openBackbone(
  config: Config,
  parts: {
    readonly store: Store;
    readonly instance: string;
    readonly around: Around;
    readonly watch: BackboneWatch;
    /** What keeps the store from taking records, if anything does. */
    readonly problem?: () => string | null;
  },
): Promise<Backbone> {
  const { store, instance, around, watch, problem = () => null } = parts;
  const kind = registryOf(around).logs.find((each) => each.name === config.log?.type);
  if (config.log === null || kind === undefined) {
    const { log, checkpoints, cursors, deadLetters } = store;
    const alone = { host: everyPartition(log.partitions), effects: everyPartition(log.partitions) };
    const shares = (role: SharedRole): Shares => alone[role];
    return { log, checkpoints, cursors, deadLetters, shares, forgets: false, name: null, problem, close: async () => {} };
  }
  if ((await store.checkpoints.load(0, () => {})) !== null)
    throw new GatewayError(
      'invalid_config',
      `${config.data.dir} holds what a gateway with the embedded log decided: give this one a data.dir of its own, and take the rest over by \`quench log move\``,
    );
  const { clock, logger } = around;
  return kind.open(config.log.options, { clock, logger, watch, local: store, instance, retentionMs: config.limits.retentionMs });
}
