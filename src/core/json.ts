// A JSON value, read-only: what documents, parameters, outputs and log records are made of.

/** A value of a document, after YAML. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
