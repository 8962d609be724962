export type Content = Record<string, unknown>;

/** A message that goes from one end of a topic to the other inside this process. */
export interface Handed {
  readonly content: Content;
  /** Of its text if it had one, about. */
  readonly bytes: number;
  /** Whoever sent it. */
  readonly sender: Sender;
  /** Called once it is handled, or when it could not be sent the other way after all. */
  readonly done: (error?: unknown) => void;
}

/** Has its messages back when a door cannot take them any more, and must send them by way of the hosts. */
export interface Sender {
  /** In their order; all that it sends later comes after them. */
  takeBack(messages: Handed[]): void;
}
