// Where the log of a gateway goes. A disk that is full, a reader that is gone: writing fails, the gateway goes on, and the log does, too,
// as soon as it can be written again.
//   F1  A line that was not written is counted, and the count is the first thing that is written again.
import { writeSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';

interface Stream {
  readonly destroyed?: boolean;
  write(text: string, told: (error?: Error | null) => void): unknown;
}

/** Where the stream has been given up, after its first failure, lines go to the file that it stood for. */
export function createOutput(
  stream: Stream,
  fd: number,
  clock: Pick<Clock, 'now'>,
  direct: (fd: number, text: string) => unknown = writeSync,
): { write(text: string): void } {
  let lost = 0;

  function put(text: string, lines: number): void {
    const failed = (): void => void (lost += lines);
    if (stream.destroyed !== true) {
      stream.write(text, (error) => {
        if (error !== undefined && error !== null) failed();
      });
      return;
    }
    try {
      direct(fd, text);
    } catch {
      failed();
    }
  }

  return {
    write(text) {
      const before = lost;
      lost = 0;
      if (before > 0) put(`${new Date(clock.now()).toISOString()} warn lines of this log could not be written lost=${before}\n`, before); // F1
      put(text, 1);
    },
  };
}
