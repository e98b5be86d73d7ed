// The projector of documents and timelines: what the API and the console show. Rebuildable; decides nothing.
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Views } from '../../ports/views.ts';
import { joined, leaves, type DocumentPatch } from '../../readmodel/patch.ts';
import { patchesOf } from '../../readmodel/patches.ts';
import { entryOf, type TimelineEntry } from '../../readmodel/timeline.ts';
import type { Projector } from './projector.ts';

/** What does not stand in the read model yet is this projector's lag. */
export const documentsName = 'documents';
/** Of one stretch of the main thread. */
const factsPerSlice = 64;
/** The cursor's name is stored: it is older than the projector's. */
const documentsCursor = 'project';

export function documentsProjector(views: Views): Projector {
  return {
    name: documentsName,
    cursor: documentsCursor,
    async apply({ partition, facts, offset }) {
      const patches = createCoalescer();
      const entries: TimelineEntry[] = [];
      for (let from = 0; from < facts.length; from += factsPerSlice) {
        if (from > 0) await nextRound(); // deliveries go first
        for (const fact of facts.slice(from, from + factsPerSlice)) {
          for (const patch of patchesOf(fact, partition)) patches.add(patch);
          const entry = entryOf(fact);
          if (entry !== null) entries.push(entry);
        }
      }
      await views.apply({ cursor: documentsCursor, partition, offset, patches: patches.all(), entries });
    },
  };
}

export interface Coalescer {
  add(patch: DocumentPatch): void;
  /** What was added, in an order that comes to the same. */
  all(): readonly DocumentPatch[];
}

/** Patches of one document become one where that comes to the same: in a busy second most facts concern few documents. */
export function createCoalescer(): Coalescer {
  const done: DocumentPatch[] = [];
  const open = new Map<string, DocumentPatch>();
  return {
    add(patch) {
      const key = `${patch.kind}|${patch.id}`;
      const before = open.get(key);
      if (before !== undefined && leaves(before, patch)) {
        // Whatever came before happens before it.
        done.push(...open.values());
        open.clear();
      }
      const pending = open.get(key);
      const together = pending === undefined ? patch : joined(pending, patch);
      if (pending !== undefined && together === null) {
        done.push(pending);
        open.delete(key); // The new one comes after what came in between.
      }
      open.set(key, together ?? patch);
    },
    all: () => [...done, ...open.values()],
  };
}

export function coalesced(patches: readonly DocumentPatch[]): readonly DocumentPatch[] {
  const coalescer = createCoalescer();
  for (const patch of patches) coalescer.add(patch);
  return coalescer.all();
}
