// Secrets of the configuration that stand in what senders say: an alert whose text quotes a token must not carry it on to people and answers.
// The words of an alert (summary, annotations, remark, links) lose it at intake, before anything is made of them; what leaves as words is
// asked once more. Labels and the entity stay as they came, for they are what an alert is known by; so does a delivery as it was received.
//   D1  Most alerts hold no secret: every tenth place of a text is asked whether three letters there are of any value; only then it is looked for,
//       and only where one stands as it is, the event is written anew.
//   D2  Names of hosts, addresses, paths and short values are parts of ordinary words, and stay: a page must say where.
import { createScrubber, type Scrubber } from '../../adapters/kit/redact.ts';
import type { AlertEvent } from '../core/alert/event.ts';
import type { Notification } from '../core/page/notification.ts';

const charsMin = 12;

export interface Discretion {
  /** Knows these from now on, too; what was a secret stays one. */
  learn(secrets: readonly string[]): void;
  event(event: AlertEvent): AlertEvent;
  notification(notification: Notification): Notification;
}

export function createDiscretion(secrets: readonly string[] = []): Discretion {
  const scrubber = createScrubber();
  let known: readonly string[] = [];
  /** Whether some known value has three letters in a row, by `threeAt`. */
  const threes = new Uint8Array(1 << 16);
  const mayHold = (text: string): boolean => {
    // Whatever stands in the text covers, with three letters, one place of those that are asked.
    for (let at = 0; at < text.length - 2; at += charsMin - 2) if (threes[threeAt(text, at)] === 1) return true;
    return false;
  };
  const isTelling = (text: string): boolean => known.length > 0 && mayHold(text) && known.some((value) => text.includes(value));
  const discretion: Discretion = {
    learn(more) {
      const telling = more.map((secret) => secret.trim()).filter(isSecretOfItsOwn);
      known = [...new Set([...known, ...telling])];
      for (const value of telling) for (let at = 0; at < value.length - 2; at += 1) threes[threeAt(value, at)] = 1;
      scrubber.learn(telling);
    },
    event(event) {
      const isTold = hasText(event, isTelling);
      return isTold ? cleanEvent(event, scrubber) : event; // D1
    },
    notification: (notification) => (known.length === 0 ? notification : cleanNotification(notification, scrubber)),
  };
  discretion.learn(secrets);
  return discretion;
}

/** A number for three letters in a row; others may have the same. */
function threeAt(text: string, at: number): number {
  return ((text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) * 31 + text.charCodeAt(at + 2)) & 0xffff;
}

/** D2 */
function isSecretOfItsOwn(value: string): boolean {
  if (value.length < charsMin || value.startsWith('/')) return false;
  return !/^(?:[a-z0-9_-]{1,63}\.)+(?:[a-z]{2,24}|[0-9]{1,3})(?::[0-9]{1,5})?$/.test(value);
}

/** Whether one of the words of the event is such; without making a list of them, for every alert comes by here. */
function hasText({ summary, annotations, note, links }: AlertEvent, isSuch: (text: string) => boolean): boolean {
  if (isSuch(summary) || (note !== undefined && isSuch(note))) return true;
  for (const name in annotations) if (isSuch(annotations[name] ?? '')) return true;
  for (const { text, href } of links) if (isSuch(text) || isSuch(href)) return true;
  return false;
}

function cleanEvent(event: AlertEvent, scrubber: Scrubber): AlertEvent {
  const { summary, annotations, note, links } = event;
  return {
    ...event,
    summary: scrubber.text(summary),
    annotations: Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, scrubber.text(text)])),
    links: links.map(({ text, href }) => ({ text: scrubber.text(text), href: scrubber.text(href) })),
    ...(note === undefined ? {} : { note: scrubber.text(note) }),
  };
}

/** Links stay: they are our own, signed, and those of alerts, which were looked at when they came. */
function cleanNotification(notification: Notification, scrubber: Scrubber): Notification {
  const { title, text, source, facts, also } = notification;
  return {
    ...notification,
    title: scrubber.text(title),
    text: scrubber.text(text),
    source: scrubber.text(source),
    facts: facts.map(({ name, value }) => ({ name, value: scrubber.text(value) })),
    ...(also === undefined ? {} : { also: also.map((told) => Object.assign({}, told, { title: scrubber.text(told.title) })) }),
  };
}
