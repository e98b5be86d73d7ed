// Delivers pages that are on no log, and their ends: each configured notifier gets them, and is tried again in growing waits, for as long as the budget
// goes, when it does not take them: whoever broke the log has often broken the way to people, too.
// What to say is page-text.ts, whether and when overdue.ts, in which order one notifier hears it raw-lane.ts, what the next life knows of it kept.ts.
//   P1  An end goes to every notifier that took the page or may have, also when it is configured for these pages no more, and to no other.
//   P2  Bounded: of 20,000 keys whose page is open it is known who was told; of more the oldest end untold. Of ends eight leave at once for each notifier.
import { GatewayError } from '../../core/errors.ts';
import { createSlots, type Slots } from '../async/slots.ts';
import type { About, KeptPages } from './kept.ts';
import { createRawLane, type RawLane, type RawLaneDeps, type RawPage } from './raw-lane.ts';

export type { RawPage } from './raw-lane.ts';

const keysMax = 20_000;
const endsMax = 8;

export interface RawPagerDeps extends Pick<RawLaneDeps, 'clock' | 'notifiers' | 'keepTryingMs' | 'attempted' | 'onTrouble'> {
  readonly notify: readonly string[];
  /** Where pages are kept for the next life; without it the next life knows of none. */
  readonly kept?: KeptPages;
}

export interface RawPager {
  /** Returns at once. A notifier that has not taken it is given up when `wanted` says no, or at its end. What it is about is kept for the next life. */
  send(page: RawPage, wanted: () => boolean, about?: About): void;
  /** An earlier life sent a page with that key to these notifiers, and it may be open there. */
  carry(dedupKey: string, notify: readonly string[]): void;
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
  const keeping = createKeeping(deps, (key) => lanes.has(key));

  function begun(work: Promise<void>): void {
    const watched: Promise<void> = work.catch(onTrouble).finally(() => underWay.delete(watched));
    underWay.add(watched);
  }

  function laneOf(key: string, name: string, isOpen = false): RawLane {
    const ofKey = lanes.get(key) ?? new Map<string, RawLane>();
    const lane = ofKey.get(name) ?? createLane(key, name, { ofKey, isOpen });
    ofKey.set(name, lane);
    lanes.set(key, ofKey);
    return lane;
  }

  function createLane(
    key: string,
    name: string,
    { ofKey, isOpen }: { readonly ofKey: Map<string, RawLane>; readonly isOpen: boolean },
  ): RawLane {
    const places = slots.get(name) ?? createSlots(endsMax);
    slots.set(name, places);
    const done = (): void => {
      if (ofKey.get(name) === lane) ofKey.delete(name);
      if (ofKey.size > 0 || lanes.get(key) !== ofKey) return;
      lanes.delete(key);
      keeping.strike(key); // K1
    };
    const common = { clock, notifiers, keepTryingMs, attempted, onTrouble, stopping: stopping.signal };
    const lane = createRawLane(name, { ...common, slots: places, begun, done }, isOpen);
    return lane;
  }

  function makeRoom(): void {
    const [oldest] = lanes;
    if (lanes.size <= max || oldest === undefined) return;
    const [key, ofKey] = oldest;
    for (const lane of ofKey.values()) lane.forget(); // P2
    lanes.delete(key);
    keeping.strike(key);
    onTrouble(new GatewayError('overloaded', `the end of raw page ${key} will not be told: more than ${max} are open`));
  }

  return {
    send(page, wanted, about) {
      const { notify } = deps;
      const leave = (): void => {
        for (const name of notify) laneOf(page.dedupKey, name).page(page, wanted);
        makeRoom();
      };
      if (about === undefined) leave();
      else begun(keeping.keep({ page, notify, about }).then(() => (wanted() ? leave() : keeping.strike(page.dedupKey))));
    },
    carry(dedupKey, notify) {
      for (const name of notify) laneOf(dedupKey, name, true);
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

interface Keeping {
  /** Resolves when the page may leave (K1, K2). */
  keep(kept: { readonly page: RawPage; readonly notify: readonly string[]; readonly about: About }): Promise<void>;
  /** Unless something of the key is open, or about to leave. */
  strike(key: string): void;
}

function createKeeping({ kept, clock }: RawPagerDeps, isOpen: (key: string) => boolean): Keeping {
  /** Pages that are being written, by key. */
  const writing = new Map<string, number>();
  return {
    async keep({ page: { dedupKey, id }, notify, about }) {
      writing.set(dedupKey, (writing.get(dedupKey) ?? 0) + 1);
      await kept?.keep({ dedupKey, id, at: clock.now(), notify: [...notify], about });
      const left = (writing.get(dedupKey) ?? 1) - 1;
      if (left === 0) writing.delete(dedupKey);
      else writing.set(dedupKey, left);
    },
    strike(key) {
      if (!isOpen(key) && !writing.has(key)) kept?.strike(key);
    },
  };
}
