// The gateway's own logger: one line each on a stream, for people and for grep. Text is constant, particulars are `name=value`.
import { GatewayError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

const valueCharsMax = 400;

export function createLogger(stream: { write(text: string): unknown }, clock: Pick<Clock, 'now'>): Logger {
  const write = (level: string) => (fields: { readonly [name: string]: unknown }, text: string) => {
    const particulars = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
    stream.write(`${new Date(clock.now()).toISOString()} ${level} ${text}${particulars.join('')}\n`);
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

// What JSON leaves as it is and a terminal obeys: DEL and C1, line and paragraph separators, bidirectional overrides.
// eslint-disable-next-line no-control-regex
const acting = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line, bounded, that does nothing but be read; of an error its code and message and, for a bug, where it happened. */
function shown(value: unknown): string {
  return textOf(value).replace(acting, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function textOf(value: unknown): string {
  if (value instanceof GatewayError) return JSON.stringify(`${value.code}: ${value.message}`.slice(0, valueCharsMax));
  if (value instanceof Error)
    return JSON.stringify((value.stack ?? value.message).split('\n').slice(0, 4).join(' | ').slice(0, valueCharsMax));
  return JSON.stringify(value)?.slice(0, valueCharsMax) ?? 'undefined';
}
