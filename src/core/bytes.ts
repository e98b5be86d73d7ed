// Text out of bytes that may not be what their sender says they are. Pure: bytes come as a string of their values, one character each.
//   T1  Nothing is lost: a byte that belongs to no UTF-8 sequence becomes the Latin-1 character of its value, so that different names stay different.

/** One sequence of UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
const sequences =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/g;

/** UTF-8 where the bytes are UTF-8, Latin-1 where they are not (T1). `binary` holds a byte a character. */
export function textOfBinary(binary: string): string {
  return binary.replace(sequences, (sequence) => {
    const lead = sequence.charCodeAt(0);
    let point = lead & (sequence.length === 2 ? 0x1f : sequence.length === 3 ? 0x0f : 0x07);
    for (let place = 1; place < sequence.length; place += 1) point = (point << 6) | (sequence.charCodeAt(place) & 0x3f);
    return String.fromCodePoint(point);
  });
}
