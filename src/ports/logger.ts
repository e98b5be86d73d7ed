// Where the gateway says what happened to it, for people and for grep. The durable order of everything is another thing: event-log.ts.

/** The text is constant; particulars are fields. */
export interface Logger {
  info(fields: { readonly [name: string]: unknown }, text: string): void;
  warn(fields: { readonly [name: string]: unknown }, text: string): void;
  error(fields: { readonly [name: string]: unknown }, text: string): void;
}
