// How the demo speaks: one line per event, its second, indented by kind, at most 100 columns.
// Colours and the moving line of a wait are for a terminal; a pipe gets plain lines and now and then a word while it waits.
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';

/** `demo`: what the demo does; `sender`: a tool reports; the others are the gateway's own story. */
export type Kind = 'demo' | 'sender' | 'incident' | 'run' | 'page' | 'proof';

const widthMax = 100;
const widthMin = 60;
/** A burst of lines comes no faster than an eye can follow. */
const paceMs = 120;
const wordEveryMs = 5_000;

type Style = Parameters<typeof styleText>[0];

const looks = {
  demo: { indent: 0, style: 'bold' },
  sender: { indent: 0, style: 'cyan' },
  incident: { indent: 2, style: null },
  run: { indent: 4, style: 'blue' },
  page: { indent: 4, style: 'yellow' },
  proof: { indent: 0, style: 'green' },
} as const satisfies { readonly [kind in Kind]: { readonly indent: number; readonly style: Style | null } };

export interface Screen {
  /** Second 0 is now. */
  begin(): void;
  /** Milliseconds since then. */
  elapsed(): number;
  /** A line of its own, without a time. */
  text(text: string): void;
  heading(text: string): void;
  /** One event; `at` is now when it is not given. A text that is too long goes on below itself. */
  line(kind: Kind, text: string, at?: number): Promise<void>;
  /** The demo waits for this; called as often as one likes. */
  waiting(what: string): void;
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  const live = out.isTTY === true;
  const width = Math.max(widthMin, Math.min(widthMax, live && out.columns > 0 ? out.columns : widthMax));
  let moving = false;
  let startedAt = Date.now();
  let spokeAt = startedAt;
  let wordAt = startedAt;

  const write = (text: string): void => {
    out.write(moving ? `\r\u001b[K${text}\n` : `${text}\n`);
    moving = false;
    spokeAt = Date.now();
    wordAt = spokeAt;
  };
  // styleText leaves the text as it is for a pipe and with NO_COLOR.
  const styled = (style: Style | null, text: string): string => (style === null ? text : styleText(style, text, { stream: out }));

  return {
    begin: () => void (startedAt = Date.now()),
    elapsed: () => Date.now() - startedAt,
    text: write,
    heading: (text) => write(`\n${styled('bold', text)}`),
    async line(kind, text, at = Date.now()) {
      const { indent, style } = looks[kind];
      const time = `+${(Math.max(0, at - startedAt) / 1_000).toFixed(1)}s`.padStart(7);
      const rows = wrapped(text.replace(/\p{Cc}+/gu, ' '), width - time.length - 2 - indent);
      rows.forEach((row, place) =>
        write(`${place === 0 ? time : ' '.repeat(time.length)}  ${' '.repeat(indent + Math.min(place, 1) * 2)}${styled(style, row)}`),
      );
      if (live) await sleep(paceMs);
    },
    waiting(what) {
      const now = Date.now();
      const text = `         ... waits for ${what}, ${Math.round((now - spokeAt) / 1_000)} s`.slice(0, width - 1);
      if (live) out.write(`\r\u001b[K${text}`);
      else if (now - wordAt >= wordEveryMs) {
        out.write(`${text}\n`);
        wordAt = now;
      }
      moving = live;
    },
  };
}

/** Rows of at most so many characters, broken at blanks; rows after the first leave room for a deeper indent. */
function wrapped(text: string, width: number): readonly string[] {
  const rows: string[] = [];
  let rest = text;
  for (let room = width; rest.length > room; room = width - 2) {
    const blank = rest.lastIndexOf(' ', room);
    const end = blank > room / 2 ? blank : room;
    rows.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...rows, rest];
}
