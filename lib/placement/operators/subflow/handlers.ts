import { subflowOf } from './flow-file';
import type { Member, Scope, Scopes } from './scope';

type Kind = 'catch' | 'status';

/**
 * Which catch or status nodes get a node's errors or status, after Node-RED's rules: all that fit in the
 * subflow that the node is in; if none does, those that fit the instance in the subflow around it, and so on.
 * A status output of a subflow ends the way of the statuses inside.
 */
export class Handlers {
  readonly #scopes: ReadonlyMap<Scope, Record<Kind, Member[]>>;
  /** New ids by new id of the handler. */
  readonly #sources = new Map<string, Set<string>>();

  constructor(scopes: Scopes) {
    this.#scopes = new Map(
      scopes.map((scope) => {
        const members = [...scope.members.values()];
        const of = (kind: Kind) => members.filter(({ original }) => original.type === kind);
        return [scope, { catch: of('catch').sort(byPrecedence), status: of('status') }];
      }),
    );
  }

  /**
   * Lets what happens at `source` go to those who would hear it from `reporter`.
   * @param source the new id.
   */
  route(source: string, scope: Scope, reporter: Member): void {
    for (const kind of ['catch', 'status'] as const) {
      let at: Scope | undefined = scope;
      let reporting: Member | undefined = reporter;
      while (at && reporting) {
        const found = this.#matching(kind, at, reporting);
        for (const { node } of found) this.sourcesOf(node.id).add(source);
        if (found.length > 0 || (kind === 'status' && at.definition.status)) break;
        reporting = at.parent?.members.get(at.instance.id);
        at = at.parent;
      }
    }
  }

  /** What a catch or status node hears: new ids. */
  sourcesOf(handler: string): Set<string> {
    const known = this.#sources.get(handler);
    if (known) return known;
    const sources = new Set<string>();
    this.#sources.set(handler, sources);
    return sources;
  }

  #matching(kind: Kind, scope: Scope, reporting: Member): Member[] {
    const candidates = this.#scopes
      .get(scope)!
      [kind].map((handler) => ({ handler, distance: distance(scope, handler, reporting) }))
      .filter((candidate): candidate is { handler: Member; distance: number } => {
        return candidate.distance !== undefined;
      })
      .sort((a, b) => a.distance - b.distance)
      .map(({ handler }) => handler);
    // Those for the uncaught hear an error only if none before them did; then all of them.
    const firstUncaught = candidates.findIndex(({ original }) => original.uncaught === true);
    return firstUncaught > 0 ? candidates.filter(({ original }) => !original.uncaught) : candidates;
  }
}

/** How many groups lie between a handler and who reports; undefined when it does not listen to that. */
function distance(scope: Scope, { original: handler }: Member, reporting: Member): number | undefined {
  const { original: reporter } = reporting;
  if (Array.isArray(handler.scope)) {
    if (!handler.scope.includes(reporter.id)) return undefined;
    // Node-RED spares a status node a loop with a node that it is wired to.
    if (handler.type === 'status' && handler.wires?.flat().includes(reporter.id)) return undefined;
  }
  const staysInGroup = handler.scope === 'group' && handler.g !== undefined;
  if (staysInGroup && reporter.g === undefined) return undefined;
  let steps = 0;
  for (let group = reporter.g; group !== undefined; group = scope.members.get(group)?.original.g) {
    if (group === handler.g) return steps;
    steps += 1;
  }
  return staysInGroup ? undefined : steps;
}

/** Those with a list of nodes first, those for the uncaught last; else as in the file. */
function byPrecedence({ original: a }: Member, { original: b }: Member): number {
  if (a.scope && b.scope) return 0;
  if (a.scope || b.scope) return a.scope ? -1 : 1;
  return Number(a.uncaught ?? false) - Number(b.uncaught ?? false);
}

/** Whether a member is a node that can report something itself. */
export function reports({ original }: Member): boolean {
  return original.type !== 'group' && subflowOf(original) === undefined;
}
