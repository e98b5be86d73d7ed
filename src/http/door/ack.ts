// The link in a page by which its reader says "I have it", without an account: a signed token, good until it expires.
// GET shows a page and changes nothing (mail scanners follow links); only POST acts.
//   K1  A token names one page of one incident; nothing else can be done with it, and no other is made of it without the secret.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Instant } from '../../core/time.ts';
import type { HttpDeps } from '../deps.ts';
import type { Answer, Route } from '../route.ts';
import { text as anyText } from '../../readmodel/schema.ts';

const tokenCharsMax = 2_048;

export interface AckClaim {
  readonly scope: string;
  readonly incident: string;
  readonly page: string;
  /** Whom the link was sent to, as far as we know: the notifier. Becomes the actor. */
  readonly to: string;
  readonly expiresAt: Instant;
}

/** A token for `/ack/{token}`: the claim in base64url, a dot, and its HMAC-SHA256. */
export function signAck(secret: string, claim: AckClaim): string {
  const text = Buffer.from(JSON.stringify([claim.scope, claim.incident, claim.page, claim.to, claim.expiresAt])).toString('base64url');
  return `${text}.${macOf(secret, text).toString('base64url')}`;
}

/** The claim, or why not. A tampered token is `invalid` whatever it says about its expiry. */
export function readAck(secrets: readonly string[], token: string, now: Instant): Result<AckClaim, 'invalid' | 'expired'> {
  const [text, mac, ...rest] = token.slice(0, tokenCharsMax + 1).split('.');
  if (text === undefined || mac === undefined || rest.length > 0 || token.length > tokenCharsMax) return fail('invalid');
  const given = Buffer.from(mac, 'base64url');
  let genuine = false;
  for (const secret of secrets) {
    const made = macOf(secret, text);
    genuine = (secret !== '' && given.length === made.length && timingSafeEqual(given, made)) || genuine;
  }
  if (!genuine) return fail('invalid');
  // Written by signAck: the signature vouches for the shape.
  const [scope, incident, page, to, expiresAt] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [
    string,
    string,
    string,
    string,
    Instant,
  ];
  return now < expiresAt ? ok({ scope, incident, page, to, expiresAt }) : fail('expired');
}

function macOf(secret: string, text: string): Buffer {
  return createHmac('sha256', secret).update(`quench-ack:${text}`).digest();
}

/** The two routes behind a link. */
export function ackRoutes(deps: HttpDeps): readonly Route[] {
  const common = {
    path: '/ack/:token',
    access: 'open',
    scope: 'none',
    tag: 'acknowledgement',
    answers: { 200: htmlPage('A small page.'), 404: htmlPage('Not a link of ours.'), 410: htmlPage('The link has expired.') },
  } as const;

  async function serve(req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
    const read = readAck(deps.ackSecrets(), token, deps.clock.now());
    if (!read.ok) {
      if (read.error === 'expired') return sendPage(res, 410, 'This link has expired', 'Please acknowledge in the console.', false);
      return sendPage(res, 404, 'This is no acknowledgement link', 'It may have been cut off by a mail program.', false);
    }
    const { scope, incident, page, to } = read.value;
    if (req.method === 'POST') {
      await deps.intake.submit({ type: 'Acked', scope, incident, page, by: to, via: 'link' });
      return sendPage(res, 200, 'Acknowledged', `Incident ${incident} is yours.`, false);
    }
    const title = await titleOf(incident, scope);
    return sendPage(res, 200, `Acknowledge incident ${incident}?`, title, true);
  }

  /** The link must work while the read model does not. */
  async function titleOf(incident: string, scope: string): Promise<string> {
    const view = await deps.store.views.get('incident', incident, [scope]).catch(() => null);
    return view === null ? '' : `${view.title} (${view.state})`;
  }

  return [
    {
      ...common,
      kind: 'raw',
      method: 'get',
      summary: 'Ask before acknowledging',
      serve: (req, res, call) => serve(req, res, call.params['token'] ?? ''),
    },
    {
      ...common,
      kind: 'raw',
      method: 'post',
      summary: 'Acknowledge',
      serve: (req, res, call) => serve(req, res, call.params['token'] ?? ''),
    },
  ];
}

function htmlPage(says: string): Answer {
  return { says, content: { 'text/html': anyText } };
}

const style =
  'body{font:1.1rem system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.7rem 1.6rem}';
const styleHash = createHash('sha256').update(style).digest('base64');

function sendPage(res: ServerResponse, status: number, title: string, says: string, ask: boolean): void {
  const form = ask ? '<form method="post"><button>Acknowledge</button></form>' : '';
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>Quench</title><style>${style}</style><h1>${escaped(title)}</h1><p>${escaped(says)}</p>${form}</html>`;
  res.setHeader(
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page) });
  res.end(page);
}

const entities: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
