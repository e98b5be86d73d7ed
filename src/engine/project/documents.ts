// The projector of documents and timelines: what the API and the console show. Rebuildable; decides nothing.
import type { Views } from '../../ports/views.ts';
import { joined, leaves, type DocumentPatch } from '../../readmodel/patch.ts';
import { patchesOf } from '../../readmodel/patches.ts';
import { entryOf } from '../../readmodel/timeline.ts';
import type { Projector } from './projector.ts';

/** What does not stand in the read model yet is this projector's lag. */
export const documentsName = 'documents';
/** The cursor's name is stored: it is older than the projector's. */
const documentsCursor = 'project';

export function documentsProjector(views: Views): Projector {
  return {
    name: documentsName,
    cursor: documentsCursor,
    async apply({ partition, facts, offset }) {
      const patches = coalesced(facts.flatMap((fact) => patchesOf(fact, partition)));
      const entries = facts.map(entryOf).filter((entry) => entry !== null);
      await views.apply({ cursor: documentsCursor, partition, offset, patches, entries });
    },
  };
}

/** Patches of one document become one where that comes to the same: in a busy second most facts concern few documents. */
export function coalesced(patches: readonly DocumentPatch[]): readonly DocumentPatch[] {
  const done: DocumentPatch[] = [];
  const open = new Map<string, DocumentPatch>();
  for (const patch of patches) {
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
  }
  return [...done, ...open.values()];
}
