import { randomBytes } from 'node:crypto';
import type { Content } from './handed';

/** Beside no other property: no message of a flow looks like that. */
const PROPERTY = '_garuaMark';
const HEAD = `{"${PROPERTY}":"`;
const TAIL = '"}';

/** A message that means nothing but that all before it have passed. */
export function makeMark(): { mark: string; content: Content } {
  const mark = randomBytes(12).toString('base64url');
  return { mark, content: { [PROPERTY]: mark } };
}

export const isMark = (body: string): boolean => body.startsWith(HEAD);

/** Which mark a message is. */
export const markOf = (body: string): string => body.slice(HEAD.length, -TAIL.length);
