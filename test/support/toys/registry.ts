// The real registry and the toys: what adding a thing takes is a folder beside this file and one line in it.
import type { Registry } from '../../../adapters/kit/kinds.ts';
import { registry } from '../../../adapters/registry.ts';
import { jarSeries } from './jar/series.ts';
import { lampActions } from './lamp/action.ts';
import { scratchStores } from './scratch/store.ts';
import { sensorSource } from './sensor/source.ts';
import { sirenNotifier } from './siren/notifier.ts';

export const toys: Registry = {
  sources: [
    ...registry.sources, //
    sensorSource,
  ],
  notifiers: [
    ...registry.notifiers, //
    sirenNotifier,
  ],
  actions: [
    ...registry.actions, //
    lampActions,
  ],
  logs: registry.logs,
  series: [
    ...registry.series, //
    jarSeries,
  ],
  stores: [
    ...registry.stores, //
    scratchStores,
  ],
};
