// Secrets taken out by value: every form in which programs print them, what is cut in two, and what is too short to be looked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScrubber, scrub } from '../../../adapters/kit/redact.ts';

const secret = 'p@ss/wörd+"x" 9~!';
const latin1 = Buffer.from(secret, 'latin1');

/** RFC 4648, section 6, by five bits of a text of bits. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{1,5}/g)?.map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)]) ?? [];
  return letters.join('');
}

const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 8) * 8, '=');

test('C16: a value goes in each form in which programs print it, alone and within other text', () => {
  const { text } = createScrubber([secret]);
  const json = JSON.stringify({ secret });
  const url = encodeURIComponent(secret);
  const forms = {
    plain: secret,
    url,
    'url in small letters': url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    'form, as Python quotes it': 'p%40ss%2Fw%C3%B6rd%2B%22x%22+9~%21',
    'form, as URLSearchParams quotes it': new URLSearchParams({ secret }).toString(),
    JSON: json,
    'JSON of ASCII': 'p@ss/w\\u00f6rd+\\"x\\" 9~!',
    'JSON as PHP writes it': 'p@ss\\/wörd+\\"x\\" 9~!',
    'JSON within JSON': JSON.stringify({ json }),
    base64: Buffer.from(secret).toString('base64'),
    base64url: Buffer.from(secret).toString('base64url'),
    'base64 of user and password': Buffer.from(`ci:${secret}`).toString('base64'),
    'base64 of a longer text': Buffer.from(`user=me&pass=${secret}&x=1`).toString('base64'),
    hexadecimal: Buffer.from(secret).toString('hex'),
    'a dump': [...Buffer.from(secret)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    'a fingerprint': [...Buffer.from(secret)].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(':'),
    'an address within an address': encodeURIComponent(encodeURIComponent(secret)),
    'JSON within an address': encodeURIComponent(json),
    'JSON of ASCII twice': JSON.stringify(JSON.stringify({ secret }).replaceAll('ö', '\\u00f6')),
    HTML: 'p@ss/w&#246;rd+&quot;x&quot; 9~!',
    'HTML with numbers': 'p@ss/w&#xF6;rd+&#34;x&#x22; 9~!',
    'a shell’s word': 'p@ss/wörd+\\"x\\"\\ 9\\~\\!',
    'a shell’s word of bytes': '$\'p@ss/w\\303\\266rd+"x" 9~!\'',
    'Python’s bytes': 'b\'p@ss/w\\xc3\\xb6rd+"x" 9~!\'',
    base32: padded(base32(Buffer.from(secret))),
    'base32 without padding': base32(Buffer.from(secret)),
    'base32 in small letters': padded(base32(Buffer.from(secret))).toLowerCase(),
    'Latin-1 read as UTF-8': latin1.toString(),
    'UTF-8 read as Latin-1': Buffer.from(secret).toString('latin1'),
    'url of Latin-1': escape(secret),
    'Python’s bytes of Latin-1': 'b\'p@ss/w\\xf6rd+"x" 9~!\'',
    'a shell’s word of Latin-1': '$\'p@ss/w\\366rd+"x" 9~!\'',
    'base64 of Latin-1': latin1.toString('base64'),
    'base64 of user and password in Latin-1': Buffer.from(`ci:${secret}`, 'latin1').toString('base64'),
    'hexadecimal of Latin-1': latin1.toString('hex'),
    'a dump of Latin-1': [...latin1].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    'base32 of Latin-1': base32(latin1),
  };
  for (const [name, form] of Object.entries(forms)) {
    const clean = text(`before ${form} after`);
    assert.match(clean, /^before .*\[redacted\].* after$/s, `${name}: ${clean}`);
    for (const left of [secret, 'wörd', 'w%C3', 'w\\u00f6', 'w\ufffdrd', 'w%F6', 'w\\xf6', 'w\\366', 'wÃ'])
      assert.ok(!clean.includes(left), `${name}: ${clean}`);
  }
});

test('C16: base64 that a program breaks into lines is found all the same', () => {
  const long = 'a-token-of-some-length-as-they-are-given-out-by-vaults-of-all-kinds-0123456789-ABCDEF';
  for (const before of ['', 'x', 'xy']) {
    const broken = `${Buffer.from(before + long)
      .toString('base64')
      .replace(/.{76}/g, '$&\n')}\n`;
    assert.ok(broken.trim().includes('\n'));
    const clean = createScrubber([long]).text(`seen:\n${broken}end`);
    const left = Buffer.from(clean.replace(/seen:|end|\[redacted\]|\n/g, ''), 'base64').toString();
    assert.ok(left.length <= 6, JSON.stringify({ clean, left }));
  }
});

test('C16: base32 is found within a longer text, at each offset, in both cases, and broken into lines', () => {
  for (const known of ['hunter2hunter', 'a-token-of-some-length-as-they-are-given-out-by-vaults', 'p4ßwort']) {
    const { text } = createScrubber([known]);
    for (const before of ['', 'x', 'xy', 'xyz', 'user', 'user:'])
      for (const behind of ['', '&', '&x=1', 'tail!']) {
        const whole = base32(Buffer.from(before + known + behind));
        for (const form of [whole, padded(whole), whole.toLowerCase(), whole.replace(/.{16}/g, '$&\n')]) {
          const left = text(`seen ${form} end`).replace(/^seen | end$|\n/g, '');
          const letters = left.replace('[redacted]', '').replaceAll('=', '').length;
          assert.match(left, /\[redacted\]/, `${known}: ${form}: ${left}`);
          // Of the value itself at most the letters at its edges, which it shares with its neighbours.
          assert.ok(letters <= base32(Buffer.from(before + behind)).length + 3, `${known}: ${form}: ${left}`);
        }
      }
  }
});

test('C16: base32 that a cut text ends in goes, too; a text of its alphabet that is no secret stays', () => {
  const { text } = createScrubber(['correct-horse-battery', 'another-secret-value']);
  const form = base32(Buffer.from('correct-horse-battery'));
  assert.equal(text(`seen ${form.slice(0, 20)}`, true), 'seen [redacted]');
  for (const plain of [
    'CRITICAL THERMAL SHUTDOWN',
    'internationalization',
    base32(Buffer.from('something else altogether')),
    'A'.repeat(100_000),
  ])
    assert.equal(text(plain), plain);
});

test('C16: a value with letters that Latin-1 has not is looked for in UTF-8 alone', () => {
  const { text } = createScrubber(['pąssword-€-łong']);
  assert.equal(text('pąssword-€-łong'), '[redacted]');
  assert.equal(text('p\u0005ssword'), 'p\u0005ssword');
});

test('C16: a value that a program breaks into lines, itself or as a dump, is found all the same', () => {
  const { text } = createScrubber([secret, 'a-token-of-some-length-0123456789']);
  const dump = Buffer.from(secret).toString('hex').replace(/.{16}/g, '$&\n');
  for (const broken of ['a-token-of-some-l\nength-0123456789', 'p@ss/wörd+\r\n"x" 9~!', dump])
    assert.equal(text(`seen >>${broken}<<`), 'seen >>[redacted]<<');
});

test('C16: a text that looks escaped all over is read in bounded work, and stays as it is', () => {
  const { text } = createScrubber(Array.from({ length: 20 }, (_, index) => `${secret}${index}`));
  for (const unit of ['%25', '\\', '&amp;', 'ab ', 'ab:', ' \n', "'\\''", '\\u005c', '%5c%25', '\u{1f600}\\']) {
    const large = unit.repeat(20_000);
    assert.ok(text(large) === large, unit);
  }
});

test('C16: what is in a value is a secret, too: a token without its scheme, a password in an address, the lines of a key', () => {
  const basic = `Basic ${Buffer.from('ci:hunter-2-hunter').toString('base64')}`;
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----';
  const { text } = createScrubber(['Bearer tok-123456', basic, 'postgres://app:s3cr3t%2Fpw@db/x', key]);
  assert.equal(text('got tok-123456'), 'got [redacted]');
  assert.equal(text('login ci with hunter-2-hunter'), 'login ci with [redacted]');
  assert.equal(text('password s3cr3t/pw'), 'password [redacted]');
  assert.equal(text('  BAQEFAASCBKcwggSjAgEAAoIB;'), '  [redacted];');
});

test('C16: the beginning of a value at the end of a text that was cut goes, and stays where nothing was cut', () => {
  const { text, json } = createScrubber(['correct-horse-battery']);
  assert.equal(text('… correct-ho', true), '… [redacted]');
  assert.equal(text('… correct-ho'), '… correct-ho');
  assert.equal(text('… cor', true), '… cor');
  const cutBase64 = Buffer.from('correct-horse-battery').toString('base64').slice(0, 15);
  assert.deepEqual(json({ stdout: `x ${cutBase64}` }, true), { stdout: 'x [redacted]' });
});

test('C16: a value too short to mean only itself takes nothing out', () => {
  const { text } = createScrubber(['a', 'yes', '12345', '']);
  assert.equal(text('a banana says yes to 12345'), 'a banana says yes to 12345');
  assert.equal(scrub('a banana', ['a']), 'a banana');
});

test('C16: values within each other and twice in a row leave nothing of either', () => {
  const { text } = createScrubber(['secret-one', 'secret-one-and-two']);
  assert.equal(text('[secret-one-and-two|secret-one]'), '[[redacted]|[redacted]]');
  assert.equal(text('secret-onesecret-one.'), '[redacted].');
});

test('C16: in JSON names of members, lists, and figures are looked at', () => {
  const { json } = createScrubber(['12345678', 'hidden-value']);
  assert.deepEqual(json({ a: [12345678, { 'hidden-value': ['x hidden-value'] }], b: true, c: null, d: 1 }), {
    a: ['[redacted]', { '[redacted]': ['x [redacted]'] }],
    b: true,
    c: null,
    d: 1,
  });
});
