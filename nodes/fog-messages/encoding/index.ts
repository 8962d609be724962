export { decodeMessage } from './decode';
export { type Encoded, encodeMessage } from './encode';
export { MessageNotPlainError, MessageUnreadableError } from './errors';
