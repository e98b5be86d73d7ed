// Facts into the read model: what the API and the console show. Rebuildable; decides nothing.
//   J1  A patch is a function of its fact; applying a fact twice changes nothing.
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Views } from '../../ports/views.ts';
import { joined, leaves, type DocumentPatch } from '../../readmodel/patch.ts';
import { patchesOf } from '../../readmodel/patches.ts';
import { entryOf } from '../../readmodel/timeline.ts';
import { createTail, type Tail } from '../tail.ts';

const factsPerRead = 512;
const cursorName = 'project';

export interface ProjectDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly views: Views;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** Resolves when there is time for the read model: decisions come first. */
  readonly patience: () => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export interface Project {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Facts on the log that are not shown yet. */
  behind(): Promise<number>;
}

export function createProject(deps: ProjectDeps): Project {
  const { partition } = deps;
  let shown = 0;
  const placed = async (offset: number): Promise<void> => {
    await deps.cursors.save(cursorName, partition, offset);
    shown = offset;
  };
  const tail: Tail = createTail({ ...deps, batch: factsPerRead, placed }, async (facts, end) => {
    await deps.patience();
    const patches = coalesced(facts.flatMap((fact) => patchesOf(fact, partition)));
    const entries = facts.map(entryOf).filter((entry) => entry !== null);
    await deps.views.apply({ cursor: cursorName, partition, offset: end, patches, entries });
    shown = end;
  });
  return {
    async start() {
      shown = await deps.cursors.load(cursorName, partition);
      tail.start(shown);
    },
    stop: () => tail.stop(),
    behind: async () => Math.max(0, (await deps.log.end('facts', partition)) - shown),
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
    const held = open.get(key);
    const together = held === undefined ? patch : joined(held, patch);
    if (held !== undefined && together === null) {
      done.push(held);
      open.delete(key); // The new one comes after what came in between.
    }
    open.set(key, together ?? patch);
  }
  return [...done, ...open.values()];
}
