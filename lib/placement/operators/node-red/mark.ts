/** What the description of a tab says about the operator in it: a crash leaves tabs, and they must be found. */
export interface TabMark {
  /** The host whose flow the operator belongs to. */
  owner: string;
  /** The operator, unique at its owner. */
  operator: string;
  /** Which of its copies: counted up by moves and rescales. */
  instance: string;
  /** Peer ID of the host that added the tab: several may share a Node-RED. */
  host?: string | undefined;
}

const MARK = /<!-- garua-operator (\{.*\}) -->/;

/** The text for the description of a tab; people read the sentence, programs the rest. */
export function describeTab(mark: TabMark): string {
  const document = JSON.stringify(mark).replaceAll('-->', '--\\u003e');
  return `Garua runs an operator of another flow in this tab, and removes it again. Changes here get lost.\n\n<!-- garua-operator ${document} -->`;
}

/** The mark in a tab's description; undefined for the tabs of people. */
export function markOf(info: unknown): TabMark | undefined {
  const found = typeof info === 'string' ? MARK.exec(info) : undefined;
  if (!found) return undefined;
  try {
    const { owner, operator, instance, host } = JSON.parse(found[1]!);
    const texts = [owner, operator, instance, host ?? ''];
    if (!texts.every((each) => typeof each === 'string')) return undefined;
    return { owner, operator, instance, ...(host !== undefined && { host }) };
  } catch {
    return undefined;
  }
}
