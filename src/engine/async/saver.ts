// Saves a number that keeps moving, as a cursor does: soon after it moved, and once for all the moves of a span.
//   V1  A number that was saved is not saved again.
//   V2  A save that failed is told of and left: the next move, or `flush`, saves what is then the newest.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

export interface SaverDeps {
  readonly clock: Pick<Clock, 'after'>;
  readonly everyMs: Millis;
  readonly save: (value: number) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export interface Saver {
  /** Takes the value as saved, as after loading it. */
  place(value: number): void;
  /** The value has moved here, and is to be saved soon. */
  moved(value: number): void;
  /** Saves at once what is not saved; starts no timer. */
  flush(): Promise<void>;
}

export function createSaver({ clock, everyMs, save, onTrouble }: SaverDeps): Saver {
  let newest = 0;
  let saved = 0;
  let cancel: (() => void) | null = null;

  async function flush(): Promise<void> {
    cancel?.();
    cancel = null;
    if (newest === saved) return; // V1
    const value = newest;
    try {
      await save(value);
      saved = value;
    } catch (error) {
      onTrouble(error); // V2
    }
  }

  return {
    place(value) {
      newest = value;
      saved = value;
    },
    moved(value) {
      newest = value;
      if (newest === saved || cancel !== null) return;
      cancel = clock.after(everyMs, () => void flush());
    },
    flush,
  };
}
