// A request that contradicts what is stored: it is refused alone, whatever else is in its group.
export class Conflict extends Error {}
