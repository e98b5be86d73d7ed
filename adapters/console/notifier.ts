// Writes notifications to a stream, for trying Quench out and for a log that a person reads.
// One block per notification; nothing in it can move a terminal's cursor or colour it.
import type { Writable } from 'node:stream';
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { checked, type NotifierKind } from '../kit/kinds.ts';
import { headline, lines, oneLine, safeLinks } from '../kit/text.ts';

const waitingBytesMax = 1_048_576;

export const ConsoleConfig = { type: 'object', additionalProperties: false, properties: {} } as const;

export type ConsoleConfig = Readonly<Record<string, never>>;

export const consoleNotifier: NotifierKind = {
  name: 'console',
  options: ConsoleConfig,
  sharedBy: () => 'whoever reads the log of the gateway reads its pages, too',
  create: (options, deps) => createConsole(checked(options), deps),
};

/** Accepted when the stream took the block; deferred while it is full (1 MiB waiting); unknown when the signal ends the wait. */
export function createConsole(_config: ConsoleConfig, deps: { readonly stream: Writable }): Notifier {
  async function deliver(notification: Notification, signal: AbortSignal): Promise<NotifyOutcome> {
    const { stream } = deps;
    if (signal.aborted) return { outcome: 'deferred', retryAfterMs: 0, detail: 'console: nothing written (aborted)' };
    if (!stream.writable) return { outcome: 'refused', detail: 'console: the stream is closed' };
    if (stream.writableLength > waitingBytesMax) {
      return { outcome: 'deferred', retryAfterMs: 0, detail: `console: ${stream.writableLength} bytes already waiting` };
    }
    return write(stream, blockOf(notification), signal);
  }
  return { deliver };
}

function write(stream: Writable, block: string, signal: AbortSignal): Promise<NotifyOutcome> {
  const { promise, resolve } = Promise.withResolvers<NotifyOutcome>();
  const abort = (): void => resolve({ outcome: 'unknown', detail: 'console: still waiting for the stream (aborted)' });
  const waits = waitingOn(stream);
  waits.begin();
  signal.addEventListener('abort', abort, { once: true });
  stream.write(block, (error) => {
    if (error) resolve({ outcome: 'refused', detail: 'console: the stream failed' });
    else resolve({ outcome: 'accepted', detail: 'console: written' });
    setImmediate(waits.end);
  });
  return promise.finally(() => signal.removeEventListener('abort', abort));
}

/** One listener for all blocks that wait for a stream: a broken pipe is told to the callback, and also emitted, which would end the process. */
interface Waiting {
  begin(): void;
  end(): void;
}

const waitingByStream = new WeakMap<Writable, Waiting>();

function waitingOn(stream: Writable): Waiting {
  const known = waitingByStream.get(stream);
  if (known !== undefined) return known;
  const ignore = (): void => {};
  let blocks = 0;
  const made: Waiting = {
    begin() {
      blocks += 1;
      if (blocks === 1) stream.on('error', ignore);
    },
    end() {
      blocks -= 1;
      if (blocks === 0) stream.off('error', ignore);
    },
  };
  waitingByStream.set(stream, made);
  return made;
}

function blockOf(notification: Notification): string {
  const indented = (text: string): string => text.replace(/^/gm, '  ');
  const rows = [
    `${new Date(notification.at).toISOString()} ${headline(notification, 512)}`,
    indented(`incident ${oneLine(notification.incident, 128)}, from ${oneLine(notification.source, 128)}`),
    indented(lines(notification.text, 8_192)),
    ...notification.facts.slice(0, 32).map(({ name, value }) => indented(`${oneLine(name, 128)}: ${oneLine(value, 1_024)}`)),
    ...safeLinks(notification).map(({ text, href }) => indented(`${text}: ${href}`)),
  ];
  return `${rows.filter((row) => row.trim() !== '').join('\n')}\n\n`;
}
