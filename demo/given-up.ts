// The one way to give up: a sentence for the person at the terminal.

/** Ends the demo; the message says what was expected, what was seen, and what to do. */
export class GivenUp extends Error {}
