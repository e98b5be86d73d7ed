// A toy store: keeps nothing beyond the process. What is opened again for the same directory goes on where the last one stopped.
import type { StoreKind } from '../../../../adapters/kit/kinds.ts';
import { memoryDisk, type MemoryDisk } from '../../../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore } from '../../../../adapters/memory/store.ts';

const disks = new Map<string, MemoryDisk>();

export const scratchStores: StoreKind = {
  name: 'scratch',
  async open({ clock, dir, use, limits }) {
    const place = `${use} ${dir}`;
    const disk = disks.get(place) ?? memoryDisk();
    disks.set(place, disk);
    return memoryStore({ disk, partitions: 1, clock, limits: { ...memoryLimits, ...limits } });
  },
};
