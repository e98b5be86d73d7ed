// Texts on their way to InfluxDB and back. Its line protocol is lines of text: a line break in a tag would begin a point of its own, and a
// backslash before what separates would join two parts. Neither ever goes out: they are written as a private-use mark and four hex digits,
// as are the other control characters, half surrogates and the mark itself. All other text goes out as it is and is escaped by the client.
//   X1  Every text comes back as it was, and no two are written alike.

const mark = '\u{e000}';

export function written(text: string): string {
  return text.replace(/[\u{e000}\p{Cc}\p{Cs}\\\u2028\u2029]/gu, (unit) => mark + unit.charCodeAt(0).toString(16).padStart(4, '0'));
}

export function read(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replace(/\u{e000}([0-9a-f]{4})/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
