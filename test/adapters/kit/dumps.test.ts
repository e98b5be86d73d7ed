import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScrubber } from '../../../adapters/kit/redact.ts';

const secret = 'Tr0ub4dor-and-a-very-long-secret';

const column = (part: Buffer): string => part.toString('latin1').replace(/[^ -~]/g, '.');
const pairs = (part: Buffer): string[] => [...part].map((byte) => byte.toString(16).padStart(2, '0'));
const dumps: { readonly [program: string]: (part: Buffer, at: number) => string } = {
  xxd: (part, at) =>
    `${at.toString(16).padStart(8, '0')}: ${pairs(part)
      .join('')
      .replace(/(.{4})/g, '$1 ')
      .padEnd(40)} ${column(part)}`,
  'hexdump -C': (part, at) =>
    `${at.toString(16).padStart(8, '0')}  ${`${pairs(part).slice(0, 8).join(' ')}  ${pairs(part).slice(8).join(' ')}`.padEnd(48)}  |${column(part)}|`,
  'od -tx1': (part, at) => `${at.toString(8).padStart(7, '0')} ${pairs(part).join(' ')}`,
  'curl --trace -': (part, at) => `${at.toString(16).padStart(4, '0')}: ${pairs(part).join(' ').padEnd(48)}${column(part)}`,
};

for (const [program, line] of Object.entries(dumps)) {
  test(`B2: a secret in a dump of ${program} goes, wherever in its lines it begins, with the text that stands beside`, () => {
    const scrubber = createScrubber([secret]);
    for (let before = 0; before < 16; before += 1) {
      const bytes = Buffer.from(`${'.'.repeat(before)}${secret}${' and what follows'.repeat(2)}`);
      const lines = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, index) =>
        line(bytes.subarray(index * 16, index * 16 + 16), index * 16),
      );
      const said = scrubber.text(`begin\n${lines.join('\n')}\nend\n`);
      assert.match(said, /^begin\n[^]*\[redacted\][^]*\nend\n$/, `${program}, ${before}`);
      const left = said.replace(/[^0-9a-f]/g, '');
      assert.ok(!left.includes(Buffer.from(secret).toString('hex').slice(10, 40)), `${program}, ${before}: ${said}`);
      assert.ok(!said.includes('very-lo') && !said.includes('long-sec'), said);
    }
  });
}
