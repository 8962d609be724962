import { GaruaError } from '../../../lib/base';

/** A message holds itself, or is nested too deeply. */
export class MessageNotPlainError extends GaruaError {
  constructor(path: string, why: string) {
    super(
      'ERR_FOG_MESSAGE_NOT_PLAIN',
      `the message cannot be sent: ${path} ${why}`,
      'Send a copy without that property (a change node can delete it).',
    );
  }
}

/** What came as a message is none that this version can read. */
export class MessageUnreadableError extends GaruaError {
  constructor(why: string, options?: ErrorOptions) {
    super(
      'ERR_FOG_MESSAGE_UNREADABLE',
      `a message cannot be read: ${why}`,
      'Publish it with a fog-out node, and use the same version of garua on all hosts.',
      options,
    );
  }
}
