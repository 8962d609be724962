import { InvalidArgumentError } from '../../../lib/base';

/**
 * Splits a command as a shell does (quotes and backslashes, no expansion), or reads it as a JSON array of
 * strings. Empty text is no command.
 *
 * @throws {InvalidArgumentError}
 */
export function commandWords(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return trimmed.startsWith('[') ? jsonWords(trimmed) : shellWords(trimmed);
}

function jsonWords(text: string): string[] {
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch (cause) {
    throw badCommand(text, 'it starts like a JSON array, but is none', { cause });
  }
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw badCommand(text, 'the array may hold nothing but texts');
  }
  return words;
}

function shellWords(text: string): string[] {
  const words: string[] = [];
  // A run of plain characters, escapes and quoted parts is one word.
  const part = /\\([\s\S])|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|([^\s\\'"]+)|(\s+)/y;
  let word: string | undefined;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) throw badCommand(text, 'a quote is not closed');
    const [, escaped, single, double, plain, space] = match;
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      // POSIX, Shell Command Language 2.2.3: inside double quotes only these lose their backslash.
      word = (word ?? '') + (escaped ?? single ?? double?.replace(/\\([$`"\\])/g, '$1') ?? plain);
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function badCommand(text: string, why: string, options?: ErrorOptions): InvalidArgumentError {
  return new InvalidArgumentError(
    `the command ${text} cannot be used: ${why}`,
    'Write words as in a shell (quote those with spaces), or a JSON array of texts.',
    options,
  );
}
