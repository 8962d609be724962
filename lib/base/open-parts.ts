/** Something that is open until it is closed. */
interface Part {
  close(): unknown;
}

/** Parts that were opened one after another, to be closed in the reverse order. */
export class OpenParts {
  readonly #parts: Part[] = [];

  /** @returns the part */
  add<T extends Part>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  /** Closes all, also where one fails. @throws what the first one that fails throws */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const part of this.#parts.splice(0).reverse()) {
      try {
        await part.close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
