// The checksum of a batch of records in Kafka's protocol (CRC-32C, Castagnoli): eight bytes at a step, for a gateway sums up every byte it writes.

const polynomial = 0x82_f6_3b_78;
const step = 8;

/** One table after the other: what the `k`-th says of a byte holds where `k` more bytes of the same step stand behind it. */
const tables = new Int32Array(step * 256);

for (let byte = 0; byte < 256; byte += 1) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (polynomial & -(sum & 1));
  tables[byte] = sum;
}
for (let at = 256; at < tables.length; at += 1) tables[at] = (said(at - 256) >>> 8) ^ said(said(at - 256) & 0xff);

function said(at: number): number {
  return tables[at] ?? 0;
}

/** Of the bytes from `from` on, before `to`: an unsigned number of 32 bits. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let sum = -1;
  let at = from;
  for (; at + step <= to; at += step) {
    sum =
      said(1_792 + ((sum ^ (bytes[at] ?? 0)) & 0xff)) ^
      said(1_536 + (((sum >>> 8) ^ (bytes[at + 1] ?? 0)) & 0xff)) ^
      said(1_280 + (((sum >>> 16) ^ (bytes[at + 2] ?? 0)) & 0xff)) ^
      said(1_024 + ((sum >>> 24) ^ (bytes[at + 3] ?? 0))) ^
      said(768 + (bytes[at + 4] ?? 0)) ^
      said(512 + (bytes[at + 5] ?? 0)) ^
      said(256 + (bytes[at + 6] ?? 0)) ^
      said(bytes[at + 7] ?? 0);
  }
  for (; at < to; at += 1) sum = said((sum ^ (bytes[at] ?? 0)) & 0xff) ^ (sum >>> 8);
  return ~sum >>> 0;
}
