// The small pages behind links: plain HTML without scripts, every text escaped, nothing loaded from anywhere.
import { isOwnName, ownNameRefused } from '../../core/own-name.ts';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { escaped } from '../../core/html.ts';
import { text as anyText } from '../../readmodel/schema.ts';
import type { Answer } from '../route.ts';
import { bodyReader, type BodyReader } from './body.ts';

const formBytesMax = 8_192;
const formsBytesMax = 1_048_576;
const nameCharsMax = 64;
const noteCharsMax = 500;
const tokenCharsMax = 512;
const cookie = 'quench_name';
const cookieSeconds = 31_536_000;

export interface Page {
  readonly title: string;
  /** Paragraphs. */
  readonly says: readonly string[];
  /** Lines as they are, under a heading each. */
  readonly lines?: readonly { readonly head: string; readonly lines: readonly string[] }[];
  readonly forms?: readonly Form[];
}

/** Asks who it is, and offers one button or several. */
export interface Form {
  /** What is filled in already; null when the name is not asked. */
  readonly name: string | null;
  readonly hidden: { readonly [field: string]: string };
  readonly buttons: readonly { readonly field: string; readonly value: string; readonly says: string }[];
  readonly asksNote?: true;
  /** Asks for a token of the API. */
  readonly asksToken?: true;
}

export function htmlAnswer(says: string): Answer {
  return { says, content: { 'text/html': anyText } };
}

const style =
  'body{font:1.1rem system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}button,input{font:inherit;padding:.7rem 1rem;margin:.3rem .3rem .3rem 0}pre{font:.9rem ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}';
const styleHash = createHash('sha256').update(style).digest('base64');

export function sendPage(res: ServerResponse, status: number, page: Page): void {
  const paragraphs = page.says.map((text) => `<p>${escaped(text)}</p>`).join('');
  const lists = (page.lines ?? []).map(({ head, lines }) => `<h2>${escaped(head)}</h2><pre>${escaped(lines.join('\n'))}</pre>`).join('');
  const body = `<h1>${escaped(page.title)}</h1>${paragraphs}${(page.forms ?? []).map(formOf).join('')}${lists}`;
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>Quench</title><style>${style}</style>${body}</html>`;
  res.setHeader(
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
  res.setHeader('cache-control', 'no-store');
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(html) });
  res.end(html);
}

function formOf({ name, hidden, buttons, asksNote, asksToken }: Form): string {
  const fields = Object.entries(hidden).map(([field, value]) => `<input type="hidden" name="${escaped(field)}" value="${escaped(value)}">`);
  const note =
    asksNote === true ? `<p><input name="note" maxlength="${noteCharsMax}" placeholder="Why (may be empty)" aria-label="Why"></p>` : '';
  const ways = buttons.map(
    ({ field, value, says }) => `<button name="${escaped(field)}" value="${escaped(value)}">${escaped(says)}</button>`,
  );
  const who =
    name === null
      ? ''
      : `<p><label>Your name <input name="name" required maxlength="${nameCharsMax}" autocomplete="name" value="${escaped(name)}"></label></p>`;
  const token =
    asksToken === true
      ? `<p><label>Your token of the API <input name="token" type="password" required maxlength="${tokenCharsMax}" autocomplete="current-password"></label></p>`
      : '';
  return `<form method="post">${fields.join('')}${who}${token}${note}${ways.join('')}</form>`;
}

/** What a form sent. Rejects like the body reader. */
export interface Sent {
  /** Who says they are at the other end; '' when nobody said. */
  readonly name: string;
  readonly note: string;
  field(name: string): string | null;
}

const readBody: BodyReader = bodyReader({ bodyBytesMax: formBytesMax, bufferedBytesMax: formsBytesMax });

export async function sentIn(req: IncomingMessage): Promise<Sent> {
  const fields = new URLSearchParams((await readBody(req)).toString('utf8'));
  return {
    name: oneLine(fields.get('name') ?? '', nameCharsMax),
    note: oneLine(fields.get('note') ?? '', noteCharsMax),
    field: (name) => fields.get(name),
  };
}

/** Why a word in that name does not count; null when it does. */
export function nameRefused(name: string): string | null {
  if (name === '') return 'Please say who you are: others read it.';
  return isOwnName(name) ? `Please say who you are: ${ownNameRefused(name, 'write yours')}.` : null;
}

/** Remembers the name for the next link; it is no login, and nothing is allowed by it. */
export function rememberName(res: ServerResponse, name: string): void {
  res.setHeader('set-cookie', `${cookie}=${encodeURIComponent(name)}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax`);
}

/** The name that was given at an earlier link, or ''. */
export function nameKnown({ headers }: IncomingMessage): string {
  const [, value = ''] = /(?:^|;\s*)quench_name=([^;]{1,1024})/.exec(headers.cookie ?? '') ?? [];
  try {
    return oneLine(decodeURIComponent(value), nameCharsMax);
  } catch {
    return '';
  }
}

/** Without control, format and private characters: a name that is read on a timeline cannot turn it around. */
function oneLine(text: string, charsMax: number): string {
  const plain = text
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return plain.slice(0, charsMax).toWellFormed().trim();
}
