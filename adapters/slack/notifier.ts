// Posts to one Slack channel through an incoming webhook.
// Texts are data: escaped, and marked verbatim so that Slack finds no mention, channel or link in them.
// Source: docs.slack.dev, "Sending messages using incoming webhooks" and "Text object", read 2026-11-20.
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { outcomeOf, targetOf, wordsLeaveWithinMs, type Http } from '../kit/http-client.ts';
import { checked, type NotifierKind } from '../kit/kinds.ts';
import { httpAddress } from '../kit/schemas.ts';
import { headline, lines, oneLine, safeLinks } from '../kit/text.ts';

const sectionCharsMax = 3_000;
const fieldCharsMax = 2_000;
const fieldsMax = 10;
const textCharsMax = 12_000;
/** Of the fifty blocks of a message, as many as the text may take. */
const sectionsMax = 10;
const between = '  ·  ';
/** Long, and under the fifty seconds of a delivery: a slow server that is given up too early gets the same again. */
const timeoutMsDefault = 45_000;

export const SlackConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: { ...httpAddress, writeOnly: true, description: 'the incoming webhook; the whole address is a secret' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: timeoutMsDefault },
  },
} as const;

export interface SlackConfig {
  readonly url: string;
  readonly timeoutMs?: number;
}

export const slackNotifier: NotifierKind = {
  name: 'slack',
  options: SlackConfig,
  create: (options, deps) => createSlack(checked(options), deps),
};

/** Accepted only when the body is `ok`: some proxies and login pages answer 200 as well. */
export function createSlack(config: SlackConfig, deps: { readonly http: Http; readonly clock: Clock }): Notifier {
  const url = targetOf(config.url, 'slack.url');

  async function deliver(notification: Notification, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome> {
    const call = {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(messageOf(notification)),
      timeoutMs: config.timeoutMs ?? timeoutMsDefault,
      leaveWithinMs: wordsLeaveWithinMs,
      withdrawn,
    } as const;
    const answer = await deps.http.send(call, signal);
    const outcome = outcomeOf(answer, { who: 'slack', url, now: deps.clock.now(), secrets: [config.url] });
    if (outcome.outcome !== 'accepted' || answer.kind !== 'answered') return outcome;
    if (answer.bodyEnd === 'broken') return { outcome: 'unknown', detail: `${outcome.detail} (the answer broke off)` };
    return answer.body.trim() === 'ok' ? outcome : { outcome: 'refused', detail: `${outcome.detail} (expected the body ok)` };
  }
  return { deliver };
}

function messageOf(notification: Notification): object {
  const title = headline(notification, 512);
  const text = lines(notification.text, textCharsMax);
  const fields = notification.facts.slice(0, fieldsMax).map(({ name, value }) => {
    return mrkdwn(`*${escaped(oneLine(name, 128), 700)}*\n${escaped(lines(value, 1_000), fieldCharsMax - 710)}`);
  });
  const links = safeLinks(notification).map(({ text: says, href }) => `<${escaped(href, Infinity)}|${escaped(says, 700)}>`);
  return {
    // The line of the push notification; Slack shows the blocks in the channel.
    text: escaped(title, sectionCharsMax),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'section', text: mrkdwn(`*${escaped(title, sectionCharsMax - 2)}*`) },
      ...sectionsOf(text).map((section) => ({ type: 'section', text: mrkdwn(section) })),
      ...rowsOf(links).map((row) => ({ type: 'section', text: mrkdwn(row) })),
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
      { type: 'context', elements: [mrkdwn(escaped(`Quench, incident ${oneLine(notification.incident, 128)}`, fieldCharsMax))] },
    ],
  };
}

/** The text escaped, parted at its empty lines into as few sections as Slack takes whole. */
function sectionsOf(text: string): readonly string[] {
  const sections: string[] = [];
  for (const paragraph of text.split('\n\n').filter((each) => each.trim() !== '')) {
    const part = escaped(paragraph, sectionCharsMax);
    const last = sections.at(-1);
    if (last !== undefined && last.length + 2 + part.length <= sectionCharsMax) sections[sections.length - 1] = `${last}\n\n${part}`;
    else if (sections.length < sectionsMax) sections.push(part);
  }
  return sections;
}

/** Links side by side, as many to a row as Slack takes; one that alone is too long is left out. */
function rowsOf(links: readonly string[]): readonly string[] {
  const rows: string[] = [];
  for (const link of links) {
    const row = rows.at(-1);
    if (link.length > sectionCharsMax) continue;
    if (row === undefined || row.length + between.length + link.length > sectionCharsMax) rows.push(link);
    else rows[rows.length - 1] = `${row}${between}${link}`;
  }
  return rows;
}

function mrkdwn(text: string): object {
  return { type: 'mrkdwn', text, verbatim: true };
}

/** Slack's three characters escaped, `@channel` and its kin broken, at most so many characters without half an entity. */
function escaped(text: string, charsMax: number): string {
  const safe = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=channel|here|everyone)/gi, '@\u200b');
  if (safe.length <= charsMax) return safe;
  return `${safe.slice(0, charsMax - 1).replace(/&[a-z]*$/, '')}…`.toWellFormed();
}
