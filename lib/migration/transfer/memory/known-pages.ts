/** The pages that the target keeps, as the source knows: it has sent them itself. */
export class KnownPages {
  readonly #numbers = new Map<string, number>();
  #limit = 0;

  /** The target keeps so many pages; those beyond are not warmed up. */
  limit(pages: number): void {
    this.#limit = pages;
  }

  get full(): boolean {
    return this.#numbers.size >= this.#limit;
  }

  numberOf(digest: string): number | undefined {
    return this.#numbers.get(digest);
  }

  /** Numbers are given in the order in which the target gets the pages. */
  add(digest: string): void {
    this.#numbers.set(digest, this.#numbers.size);
  }
}
