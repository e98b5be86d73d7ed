// The real registry and the toys: what adding a thing takes is a folder beside this file and one line in it.
import type { Registry } from '../../../adapters/kit/kinds.ts';
import { registry } from '../../../adapters/registry.ts';
import { lampActions } from './lamp/action.ts';
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
};
