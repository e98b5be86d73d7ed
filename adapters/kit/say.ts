// How an adapter that works in the background tells what happens to it.

/** The text is constant, particulars are fields. */
export interface Say {
  info(fields: { readonly [name: string]: unknown }, text: string): void;
  warn(fields: { readonly [name: string]: unknown }, text: string): void;
  error(fields: { readonly [name: string]: unknown }, text: string): void;
}
