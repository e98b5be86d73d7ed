// The gateway's own logger: one line each on a stream, for people and for grep. Text is constant, particulars are `name=value`.
//   L1  Equal warnings and errors are written once in a while: what is wrong for long does not fill a disk or hide what else is said. How often it was said
//       stands in the next such line, or in front of whatever is said next when its time is over.
//   L2  No line holds a value that `scrub` takes out; it is asked before anything is cut.
import { GatewayError } from '../core/errors.ts';
import { minute, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

const valueCharsMax = 400;
const quietMs: Millis = minute;
/** Different lines that are remembered at once; beyond, the one written longest ago is forgotten. */
const linesMax = 200;

interface Said {
  readonly at: Millis;
  again: number;
}

export function createLogger(
  stream: { write(text: string): unknown },
  clock: Pick<Clock, 'now' | 'steady'>,
  scrub: (text: string) => string = (text) => text,
): Logger {
  /** Lines without their time, in the order in which they were last written. */
  const said = new Map<string, Said>();

  function put(line: string, again: number): void {
    const repeated = again === 0 ? '' : ` repeated=${again}`;
    stream.write(`${new Date(clock.now()).toISOString()} ${line}${repeated}\n`);
  }

  /** Forgets what was said long ago, and tells how often it was said again. */
  function tidy(now: Millis): void {
    for (const [line, { at, again }] of said) {
      if (now - at < quietMs && said.size <= linesMax) return;
      said.delete(line);
      if (again > 0) put(line, again);
    }
  }

  const write = (level: string) => (fields: { readonly [name: string]: unknown }, text: string) => {
    const particulars = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value, scrub)}`);
    const line = `${level} ${text}${particulars.join('')}`;
    if (level === 'info') return put(line, 0);
    const now = clock.steady();
    const before = said.get(line);
    if (before !== undefined && now - before.at < quietMs) {
      before.again += 1; // L1
      return;
    }
    said.delete(line);
    tidy(now);
    put(line, before?.again ?? 0);
    said.set(line, { at: now, again: 0 });
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

// What JSON leaves as it is and a terminal obeys: DEL and C1, line and paragraph separators, bidirectional overrides.
// eslint-disable-next-line no-control-regex
const acting = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line, bounded, that does nothing but be read; of an error its code and message and, for a bug, where it happened. */
function shown(value: unknown, scrub: (text: string) => string): string {
  return textOf(value, scrub).replace(acting, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function textOf(value: unknown, scrub: (text: string) => string): string {
  if (value instanceof GatewayError) return cut(`${value.code}: ${value.message}`, scrub);
  if (value instanceof Error) return cut((value.stack ?? value.message).split('\n').slice(0, 4).join(' | '), scrub);
  const text = JSON.stringify(value);
  return text === undefined ? 'undefined' : scrub(text).slice(0, valueCharsMax);
}

/** A JSON text of at most so many characters; nobody reads, and nothing is looked for in, what is far behind the cut. */
function cut(text: string, scrub: (text: string) => string): string {
  return JSON.stringify(scrub(text.slice(0, valueCharsMax * 20)).slice(0, valueCharsMax));
}
