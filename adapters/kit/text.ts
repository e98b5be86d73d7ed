// Texts of a notification on their way to a screen that may obey them: a terminal, a mail header, a chat.
// Takes out what could act; never what it says.
import type { Notification, NotifyKind } from '../../src/core/page/notification.ts';

// C0, DEL and C1 (terminals obey both), line and paragraph separators, and the bidirectional overrides that make text lie.
// eslint-disable-next-line no-control-regex
const acting = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex
const actingButLines = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** One line without control characters, well-formed, at most so many UTF-16 units; a cut shows as `…`. */
export function oneLine(text: string, charsMax: number): string {
  return clip(
    text
      .slice(0, charsMax * 4)
      .replace(acting, ' ')
      .replace(/ {2,}/g, ' ')
      .trim(),
    charsMax,
  );
}

/** Several lines without any other control character; tabs become blanks. */
export function lines(text: string, charsMax: number): string {
  const unified = text.slice(0, charsMax * 4).replace(/\r\n?|[\u2028\u2029]/g, '\n');
  return clip(unified.replace(/\t/g, '  ').replace(actingButLines, '').trimEnd(), charsMax);
}

/** At most so many UTF-16 units, never half a character; a cut shows as `…`. */
export function clip(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text.toWellFormed();
  const cut = text.slice(0, charsMax - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`.toWellFormed();
}

const saying = {
  page: '',
  repeat: 'again: ',
  risen: 'worse: ',
  joined: 'more: ',
  unacknowledged: 'nobody has it: ',
  storm: '',
  approval: 'approval needed: ',
  acknowledged: 'acknowledged: ',
  resolve: 'resolved: ',
  flapping: 'flapping: ',
  unreached: 'nobody reached: ',
} satisfies Record<NotifyKind, string>;

/** `[critical] again: disk full on db1`: the same first line on every channel. */
export function headline(notification: Notification, charsMax: number): string {
  const { kind, severity, title, pageOnly } = notification;
  return oneLine(`[${severity}] ${pageOnly === true ? '' : saying[kind]}${title || 'untitled'}`, charsMax);
}

/** Links that a person may follow: http, https and mailto, normalised; anything else is left out. */
export function safeLinks(notification: Notification): readonly { readonly text: string; readonly href: string }[] {
  return notification.links.slice(0, 10).flatMap(({ text, href }) => {
    if (href.length > 2_048 || !URL.canParse(href)) return [];
    const url = new URL(href);
    if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) return [];
    return [{ text: oneLine(text, 128) || 'link', href: url.href.replaceAll('|', '%7C') }];
  });
}
