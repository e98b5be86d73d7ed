// The thread that parses large deliveries, one at a time. It holds sources and nothing else of the gateway; parser.ts starts it and asks it.
import { parentPort, workerData } from 'node:worker_threads';
import { mapped } from '../../adapters/kit/mapping.ts';
import { sourceKinds } from '../../adapters/source-registry.ts';
import type { AlertEvent } from '../core/alert/event.ts';
import { GatewayError, invariant } from '../core/errors.ts';
import { parseWith } from '../engine/intake/parse.ts';
import type { Source } from '../ports/source.ts';
import type { FromThread, ThreadData, ToThread } from './parser-protocol.ts';

/** A part ends after so many events, or characters. */
const partEvents = 128;
const partChars = 131_072;
/** To and fro between threads takes its time where cores are few and busy. */
const partsAtOnce = 8;

const { endpoints } = workerData as ThreadData; // as parser.ts sends it
const sources = new Map<string, Source>();
let text: string[] = [];
let events: readonly AlertEvent[] = [];
let given = 0;

async function sourceOf(name: string): Promise<Source> {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const endpoint = endpoints.find((each) => each.name === name);
  const kind = sourceKinds.find((each) => each.name === endpoint?.source);
  if (endpoint === undefined || kind === undefined) throw new GatewayError('internal', `the thread knows no endpoint ${name}`);
  const source = kind.create(endpoint.options);
  const made = Object.keys(endpoint.mapping).length === 0 ? source : mapped(source, endpoint.mapping, await expressions());
  sources.set(name, made);
  return made;
}

/** Loaded for an endpoint with a mapping only: it is large. */
async function expressions() {
  const { createExpressions } = await import('../../adapters/cel/expressions.ts');
  return createExpressions();
}

function nextPart(): string | null {
  if (given > 0 && given >= events.length) return null;
  const part: string[] = [];
  let chars = 0;
  do {
    const event = events[given];
    given += 1;
    if (event === undefined) break; // of a delivery that says nothing there is one part, which is empty
    const json = JSON.stringify(event);
    part.push(json);
    chars += json.length;
  } while (given < events.length && part.length < partEvents && chars < partChars);
  return `[${part.join(',')}]`;
}

function nextParts(): readonly string[] {
  const parts: string[] = [];
  for (let part = nextPart(); part !== null; part = nextPart()) {
    parts.push(part);
    if (parts.length === partsAtOnce) break;
  }
  return parts;
}

async function answerTo(asked: Exclude<ToThread, { type: 'text' }>): Promise<FromThread> {
  if (asked.type === 'next') return { type: 'parts', parts: nextParts() };
  const body = text.join('');
  [text, events, given] = [[], [], 0];
  const parsed = parseWith(await sourceOf(asked.endpoint), { ...asked.delivery, body });
  if (!parsed.ok) return { type: 'failed', failure: parsed.error };
  const { events: all, ...rest } = parsed.value;
  events = all;
  return { ...rest, type: 'parsed', alerts: all.length };
}

invariant(parentPort, 'this file is the program of a thread');
const port = parentPort;
port.on('message', (asked: ToThread) => {
  if (asked.type === 'text') text.push(asked.text);
  else void answerTo(asked).then((answer) => port.postMessage(answer));
});
