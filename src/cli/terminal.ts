// The terminal as commands see it: data on stdout, words on stderr, colour only for a person who wants it.
//   M1  No control character of an alert reaches the terminal: what could act is written out (`\x1b`), in tables and JSON alike.
import type { Clock } from '../ports/clock.ts';
import { exits, Stop } from './exit.ts';

export interface Terminal {
  readonly env: { readonly [name: string]: string | undefined };
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } satisfies { readonly [colour in Colour]: number };

// C0, DEL and C1, line and paragraph separators, and the bidirectional overrides that make text lie.
// eslint-disable-next-line no-control-regex
const acting = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex
const actingInText = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line that does nothing but be read; line breaks and tabs become blanks. M1 */
export function plain(text: string): string {
  return text
    .replace(/[\n\r\t]+/g, ' ')
    .replace(acting, writtenOut)
    .toWellFormed();
}

/** Several lines that do nothing but be read. M1 */
export function plainLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(actingInText, writtenOut).toWellFormed();
}

/** JSON of the same meaning in which nothing acts on a terminal. M1 */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(actingInText, (char) => `\\u${hex(char, 4)}`);
}

function writtenOut(char: string): string {
  const code = char.charCodeAt(0);
  return code < 256 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`;
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0');
}

/** Colour is for a terminal that is one, unless NO_COLOR or TERM=dumb say otherwise. */
function isColourful({ env, stdout }: Terminal): boolean {
  return stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export function painted(terminal: Terminal, colour: Colour | null, text: string): string {
  return colour === null || !isColourful(terminal) ? text : `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

/** Data: a line on stdout, safe already. */
export function data(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** Words: a line on stderr, made safe here. */
export function say(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${plainLines(text)}\n`);
}

/** Everything on stdin as text, at most so many bytes; Ctrl-C ends the wait. */
export async function readAll(terminal: Terminal, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of untilStopped(terminal)) {
    bytes += part.length;
    if (bytes > bytesMax) throw new Stop(exits.failed, `stdin: expected at most ${bytesMax} bytes, seen more`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Asks a question on stderr; anything but y or yes is a no. */
export async function confirmed(terminal: Terminal, question: string): Promise<boolean> {
  terminal.stderr.write(`${plain(question)} [y/N] `);
  let text = '';
  for await (const part of untilStopped(terminal)) {
    text += part.toString('utf8');
    if (text.includes('\n') || text.length > 100) break;
  }
  return /^\s*y(es)?\s*$/i.test(text.split('\n', 1)[0] ?? '');
}

async function* untilStopped({ stdin, signal }: Terminal): AsyncGenerator<Buffer> {
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const stop = (): void => stopped.reject(new Stop(exits.interrupted, 'stopped'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const parts = stdin[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([parts.next(), stopped.promise]);
      if (next.done === true) return;
      yield Buffer.from(next.value as string | Buffer);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Lets time pass; Ctrl-C ends the wait with 130. */
export function pause({ clock, signal }: Terminal, span: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(new Stop(exits.interrupted, 'stopped'));
    };
    const cancel = clock.after(span, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
