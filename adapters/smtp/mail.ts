// One notification as a mail: plain text, and the same as plain HTML. One thread per incident: every mail refers to the same first id,
// whether or not that first mail was ever sent. Texts are bodies and one subject line, never headers or addresses.
import { hash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { escaped } from '../../src/core/html.ts';
import type { Notification } from '../../src/core/page/notification.ts';
import { clockOf, type Instant } from '../../src/core/time.ts';
import { headline, lines, oneLine, safeLinks } from '../kit/text.ts';

const subjectCharsMax = 240;

/** The whole message as bytes. `Message-ID` is the same over all attempts; the subject is one line whatever the title holds. */
export async function mailOf(
  notification: Notification,
  envelope: { readonly from: string; readonly to: readonly string[]; readonly now: Instant },
): Promise<Buffer> {
  const domain = envelope.from.slice(envelope.from.lastIndexOf('@') + 1);
  const idOf = (text: string): string => `<quench.${hash('sha256', text, 'hex').slice(0, 40)}@${domain}>`;
  const thread = idOf(notification.dedupKey);
  const composer = new MailComposer({
    from: { name: 'Quench', address: envelope.from },
    to: [...envelope.to],
    subject: subjectOf(notification),
    date: new Date(envelope.now),
    messageId: idOf(`${notification.dedupKey}\n${notification.id}`),
    inReplyTo: thread,
    references: thread,
    text: bodyOf(notification),
    html: htmlOf(notification),
    textEncoding: 'quoted-printable',
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'List-Id': `Quench <quench.${domain}>` },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/** `[critical] nginx on web2 does not answer (since 23:33 UTC)`; of who has it and of the end without. */
function subjectOf(notification: Notification): string {
  const { kind, startedAt } = notification;
  const since = startedAt === undefined || kind === 'resolve' || kind === 'acknowledged' ? '' : ` (since ${clockOf(startedAt)})`;
  return `${headline(notification, subjectCharsMax - since.length)}${since}`;
}

/** The same words for a mail program that shows HTML: no picture, no style that is fetched, nothing of the text as markup. */
function htmlOf(notification: Notification): string {
  const facts = notification.facts.slice(0, 64).map(({ name, value }) => `${oneLine(name, 128)}: ${oneLine(value, 2_048)}`);
  const links = safeLinks(notification).map(({ text, href }) => `<a href="${escaped(href)}">${escaped(text)}</a>`);
  const parts = [
    `<p><strong>${escaped(headline(notification, subjectCharsMax))}</strong></p>`,
    links.length === 0 ? '' : `<p>${links.join(' &middot; ')}</p>`,
    `<pre style="white-space:pre-wrap">${escaped(lines(notification.text, 32_768))}</pre>`,
    facts.length === 0 ? '' : `<p>${facts.map(escaped).join('<br>')}</p>`,
    `<p>Quench, incident ${escaped(oneLine(notification.incident, 128))}</p>`,
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8">${parts.join('')}</html>\n`;
}

function bodyOf(notification: Notification): string {
  const facts = notification.facts.slice(0, 64).map(({ name, value }) => `${oneLine(name, 128)}: ${oneLine(value, 2_048)}`);
  const links = safeLinks(notification).map(({ text, href }) => `${text}: ${href}`);
  const parts = [
    lines(notification.text, 32_768),
    links.join('\n'),
    facts.join('\n'),
    `-- \nQuench, incident ${oneLine(notification.incident, 128)}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
