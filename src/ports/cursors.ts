// Where a consumer of the log stands.

/** Where a consumer stands; what is below is done with. */
export interface Cursors {
  load(name: string, partition: number): Promise<number>;
  save(name: string, partition: number, offset: number): Promise<void>;
}
