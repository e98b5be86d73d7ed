// Answers as bytes: a long list is written in slices, between which the event loop is given back.
const sliceItems = 200;

/** The JSON of an answer, in pieces that belong together. */
export async function bytesOf(body: object): Promise<readonly Buffer[]> {
  if (!Array.isArray(body) || body.length <= sliceItems) return [Buffer.from(JSON.stringify(body))];
  const items: readonly unknown[] = body;
  const pieces: Buffer[] = [];
  for (let from = 0; from < items.length; from += sliceItems) {
    const slice = JSON.stringify(items.slice(from, from + sliceItems));
    pieces.push(Buffer.from(`${from === 0 ? '[' : ','}${slice.slice(1, -1)}`));
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return [...pieces, Buffer.from(']')];
}
