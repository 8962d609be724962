/** One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string;
  parameters: Record<string, string>;
}

const SCHEME = /[,\s]*([A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]*)(?:\s+(?!\s*=)|(?=,)|$)/y;
const PARAMETER = /[,\s]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;

/** Reads all challenges; what cannot be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let position = 0;
  while (position < header.length) {
    PARAMETER.lastIndex = position;
    const parameter = PARAMETER.exec(header);
    const current = challenges.at(-1);
    if (parameter && current) {
      current.parameters[parameter[1]!.toLowerCase()] =
        parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3]!;
      position = PARAMETER.lastIndex;
      continue;
    }
    SCHEME.lastIndex = position;
    const scheme = SCHEME.exec(header);
    if (!scheme) break;
    challenges.push({ scheme: scheme[1]!.toLowerCase(), parameters: Object.create(null) });
    position = SCHEME.lastIndex;
  }
  return challenges;
}
