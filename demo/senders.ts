// What the monitoring tools send: recorded payloads in the tools' own shapes (payloads/*.json), with this play's times filled in.
import { readFileSync } from 'node:fs';
import type { Stage } from './stage.ts';

export type Tokens = { readonly [name: string]: string };

/** The times of a trouble as the tools write them: `@began`, `@now` in ISO, with `S` in seconds, with `Ms` in milliseconds. */
export function timesOf(beganAt: number, nowAt: number): Tokens {
  const spelled = (name: string, at: number): Tokens => ({
    [name]: new Date(at).toISOString(),
    [`${name}S`]: String(Math.floor(at / 1_000)),
    [`${name}Ms`]: String(at),
  });
  return { ...spelled('began', beganAt), ...spelled('now', nowAt) };
}

/** The payload with each `@name` replaced; a text that is only an `@nameMs` becomes a number, as its sender writes it. */
export function filled(value: unknown, tokens: Tokens): unknown {
  if (typeof value === 'string') {
    const text = value.replace(/@([a-zA-Z]+)/g, (whole, name: string) => tokens[name] ?? whole);
    return /^@[a-z]+Ms$/.test(value) ? Number(text) : text;
  }
  if (Array.isArray(value)) return value.map((member) => filled(member, tokens));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, filled(member, tokens)]));
}

export function payload(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`payloads/${name}.json`, import.meta.url), 'utf8'));
}

/** One tool speaks; `says` is the line on the screen. */
export async function report(stage: Stage, endpoint: string, name: string, beganAt: number, says: string): Promise<void> {
  await stage.screen.line('sender', `${endpoint} sends ${says}`);
  await stage.gateway.deliver(endpoint, filled(payload(name), { play: stage.play, ...timesOf(beganAt, Date.now()) }));
}
