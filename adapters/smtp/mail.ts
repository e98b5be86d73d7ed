// One notification as a plain-text mail. One thread per incident: every mail refers to the same first id,
// whether or not that first mail was ever sent. Texts are bodies and one subject line, never headers or addresses.
import { hash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
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
