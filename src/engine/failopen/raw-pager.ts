// Delivers pages that are on no log, and their ends: each configured notifier gets them, and is tried again in growing waits, for as long as the budget
// goes, when it does not take them: whoever broke the log has often broken the way to people, too.
// What to say is page-text.ts, whether and when overdue.ts, in which order one notifier hears it raw-lane.ts. Nothing is kept over a restart: of a page
// that an earlier life sent only its key is known, to whoever sends it again.
//   P1  An end goes to every notifier that took the page or may have, also when it is configured for these pages no more, and to no other.
//   P2  Bounded: of 20,000 keys whose page is open it is known who was told; of more the oldest end untold. Of ends eight leave at once for each notifier.
import { GatewayError } from '../../core/errors.ts';
import { createSlots, type Slots } from '../async/slots.ts';
import { createRawLane, type RawLane, type RawLaneDeps, type RawPage } from './raw-lane.ts';

export type { RawPage } from './raw-lane.ts';

const keysMax = 20_000;
const endsMax = 8;

export interface RawPagerDeps extends Pick<RawLaneDeps, 'clock' | 'notifiers' | 'keepTryingMs' | 'attempted' | 'onTrouble'> {
  readonly notify: readonly string[];
}

export interface RawPager {
  /** Returns at once. A notifier that has not taken it is given up when `wanted` says no, or at its end. */
  send(page: RawPage, wanted: () => boolean): void;
  /** Tells the end of the page with the same key to whoever took it, or may have. Returns at once. */
  end(words: RawPage): void;
  stop(): Promise<void>;
}

export function createRawPager(deps: RawPagerDeps, max = keysMax): RawPager {
  const { clock, notifiers, keepTryingMs, attempted, onTrouble } = deps;
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  /** By key, the oldest first, and by notifier. */
  const lanes = new Map<string, Map<string, RawLane>>();
  const slots = new Map<string, Slots>();

  function begun(work: Promise<void>): void {
    const watched: Promise<void> = work.catch(onTrouble).finally(() => underWay.delete(watched));
    underWay.add(watched);
  }

  function laneOf(key: string, name: string): RawLane {
    const ofKey = lanes.get(key) ?? new Map<string, RawLane>();
    const lane = ofKey.get(name) ?? createLane(key, name, ofKey);
    ofKey.set(name, lane);
    lanes.set(key, ofKey);
    return lane;
  }

  function createLane(key: string, name: string, ofKey: Map<string, RawLane>): RawLane {
    const places = slots.get(name) ?? createSlots(endsMax);
    slots.set(name, places);
    const done = (): void => {
      if (ofKey.get(name) === lane) ofKey.delete(name);
      if (ofKey.size === 0 && lanes.get(key) === ofKey) lanes.delete(key);
    };
    const common = { clock, notifiers, keepTryingMs, attempted, onTrouble, stopping: stopping.signal };
    const lane = createRawLane(name, { ...common, slots: places, begun, done });
    return lane;
  }

  function makeRoom(): void {
    const [oldest] = lanes;
    if (lanes.size <= max || oldest === undefined) return;
    const [key, ofKey] = oldest;
    for (const lane of ofKey.values()) lane.forget(); // P2
    lanes.delete(key);
    onTrouble(new GatewayError('overloaded', `the end of raw page ${key} will not be told: more than ${max} are open`));
  }

  return {
    send(page, wanted) {
      for (const name of deps.notify) laneOf(page.dedupKey, name).page(page, wanted);
      makeRoom();
    },
    end(words) {
      for (const lane of lanes.get(words.dedupKey)?.values() ?? []) lane.end(words);
    },
    async stop() {
      stopping.abort();
      for (const ofKey of lanes.values()) for (const lane of ofKey.values()) lane.wake();
      await Promise.all(underWay);
    },
  };
}
