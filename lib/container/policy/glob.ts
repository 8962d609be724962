/**
 * A pattern for a whole text: `*` is any run of characters but `/`, `**` any run at all, `?` one character but
 * `/`, `[abc]` and `[a-z]` one of these; all else stands for itself.
 */
export function globToRegExp(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const rest = pattern.slice(index);
    const set = /^\[([^\]/!^\\]+)\]/.exec(rest);
    if (rest.startsWith('**')) {
      source += '.*';
      index += 1;
    } else if (rest[0] === '*') source += '[^/]*';
    else if (rest[0] === '?') source += '[^/]';
    else if (set) {
      source += `[${set[1]}]`;
      index += set[0].length - 1;
    } else source += rest[0]!.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}

export function matchesAny(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => globToRegExp(pattern).test(text));
}

/** Whether a path is a folder or lies in it, segment by segment: /srv does not hold /srvx. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
