// What endpoints refuse as a whole becomes a person's matter when it lasts: how that watch is made of a gateway's parts.
import { configDefaults } from '../config/quench/defaults.ts';
import type { Config } from '../config/quench/types.ts';
import { ownSource } from '../core/alert/own.ts';
import type { FailOpen } from '../engine/failopen/failopen.ts';
import { createRawPager } from '../engine/failopen/raw-pager.ts';
import type { NewAlert } from '../engine/intake/delivery-writer.ts';
import type { Intake } from '../engine/intake/intake.ts';
import { createRefusalWatch, type RefusalWatch } from '../engine/refusals/watch.ts';
import type { HttpEndpoint } from '../http/deps.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Store } from '../ports/store.ts';
import type { Live } from './live.ts';
import type { Stops } from './stops.ts';
import type { Surroundings } from './surroundings.ts';

interface Parts {
  readonly store: Pick<Store, 'views'>;
  readonly live: Live;
  readonly metrics: Pick<Metrics, 'notification'>;
  readonly installation: () => string | null;
  readonly endpoints: readonly HttpEndpoint[];
  readonly intake: Pick<Intake, 'submit'>;
  readonly failOpen: Pick<FailOpen, 'offered'>;
  readonly stops: Stops;
}

/** Its end is added to `stops`. */
export function openRefusalWatch(config: Config, { clock, logger }: Surroundings, parts: Parts): RefusalWatch {
  const { store, live, metrics, installation, endpoints, intake, failOpen, stops } = parts;
  const pager = createRawPager({
    clock,
    notifiers: live.notifiers,
    get notify() {
      return live.config().failOpen.notify;
    },
    keepTryingMs: config.policy.delivery?.keepTryingMs ?? configDefaults.keepTryingMs,
    attempted: (notifier, outcome) => metrics.notification(notifier, outcome),
    onTrouble: (error) => logger.error({ error }, 'nobody could be told that deliveries are refused'),
  });
  const watch = createRefusalWatch({
    endpoints,
    caps: config.limits,
    clock,
    views: store.views,
    async tell(scope, event) {
      const delivery = `${ownSource}:${event.fingerprint}:${event.claim}:${event.observedAt}`;
      const alert: NewAlert = { type: 'AlertSeen', scope, endpoint: ownSource, delivery, index: 0, event };
      const answer = failOpen.offered(scope, [alert], false);
      try {
        await intake.submit(alert);
        answer?.(true);
      } catch (error) {
        answer?.(false);
        throw error;
      }
    },
    pager,
    afterMs: config.failOpen.afterMs,
    installation,
    logger,
  });
  stops.add(pager.stop);
  stops.add(watch.stop);
  return watch;
}
