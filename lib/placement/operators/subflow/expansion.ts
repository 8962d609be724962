import { IncludedConfigs } from './configs';
import { checkContextUse } from './context-use';
import { type FindCredentials, instanceEnvironment, surroundings } from './environment';
import { SubflowUnknownError, SubflowUnsupportedError } from './errors';
import type { ExpandedSubflow, ExpandOptions, PortNode } from './expand';
import { type FlowFile, type FlowNode, isConfig, type PortWire, subflowOf } from './flow-file';
import { fillGroups, VariableGroups } from './groups';
import { copyOf } from './references';
import { type ConfigUser, routeHandlers } from './routing';
import type { Member, Scope } from './scope';
import { STATUS_REPORTER } from './status-reporter';

/** Between the nodes of one instance and those of the next, in the editor. */
const GAP = 80;

/** One run of {@link expandSubflow}. */
export class Expansion {
  readonly #credentials: FindCredentials;
  readonly #configs: IncludedConfigs;
  readonly #scopes: Scope[] = [];
  readonly #groups: VariableGroups;
  /** Entry, exits, status reporters: what no subflow holds. */
  readonly #extra: FlowNode[] = [];
  /** Which members use a config node from outside, by its old id. */
  readonly #users = new Map<string, ConfigUser[]>();
  /** Groups of the variables around the instance. */
  #globalGroup = '';
  #tabGroup = '';
  #bottom = 0;

  constructor(
    private readonly options: ExpandOptions,
    private readonly file: FlowFile,
    private readonly newId: (path: string) => string,
  ) {
    this.#groups = new VariableGroups(newId);
    this.#credentials = options.credentials ?? (() => undefined);
    this.#configs = new IncludedConfigs(
      file,
      new Set(options.leave),
      (id) => newId(`config/${id}`),
      (container) => (container === undefined ? this.#globalGroup : this.#tabGroup),
      this.#credentials,
    );
  }

  run(): ExpandedSubflow {
    const { subflow, instance, ports } = this.options;
    const outputs = this.file.subflow(subflow)?.out ?? [];
    const status = ports.status && this.#addPort('status', ports.status);
    const exits = outputs.map((_, at) => ports.exits?.[at] && this.#addPort(`exit/${at}`, ports.exits[at]));
    const group = this.#addSurroundings();
    const outermost = { ...instance, type: `subflow:${subflow}`, wires: exits.map((id) => (id ? [id] : [])) };
    const inputs = this.#expand(outermost, undefined, group, status);
    if (ports.entry) this.#addPort('entry', ports.entry, [inputs]);
    checkContextUse(this.#scopes);
    const { newId } = this;
    const configs = this.#configs.all;
    this.#extra.push(...routeHandlers({ scopes: this.#scopes, configs, users: this.#users, newId }));
    return this.#result();
  }

  /** Variables around the instance at home become groups around it. */
  #addSurroundings(): string {
    const { global, tab, groups } = surroundings(this.file, this.options.instance, this.#credentials);
    this.#globalGroup = this.#groups.add('global', global, undefined);
    this.#tabGroup = this.#groups.add('tab', tab, this.#globalGroup);
    return groups.reduce((outer, each, at) => this.#groups.add(`group/${at}`, each, outer), this.#tabGroup);
  }

  /**
   * Expands one instance, and those in it.
   * @returns the new ids of the nodes that its input reaches.
   */
  #expand(instance: FlowNode, parent: Scope | undefined, around: string, statusSink?: string): string[] {
    const scope = this.#open(instance, parent, around, statusSink);
    const { definition, members } = scope;
    for (const member of members.values()) this.#fill(scope, member);
    this.#bottom =
      Math.max(this.#bottom, ...[...members.values()].map(({ node }) => Number(node.y ?? 0))) + GAP;
    definition.out?.forEach(({ wires }, output) => {
      for (const wire of wires) this.#join(scope, wire, instance.wires?.[output] ?? []);
    });
    if (scope.statusSink) {
      for (const wire of definition.status?.wires ?? []) this.#join(scope, wire, [scope.statusSink]);
    }
    const inputs = (definition.in?.[0]?.wires ?? []).flatMap(({ id }) => members.get(id)?.node.id ?? []);
    const straight = [
      ...(definition.out ?? []).flatMap(({ wires }, output) =>
        wires.some(({ id }) => id === definition.id) ? (instance.wires?.[output] ?? []) : [],
      ),
      ...(scope.statusSink && definition.status?.wires.some(({ id }) => id === definition.id)
        ? [scope.statusSink]
        : []),
    ];
    for (const member of members.values()) {
      if (subflowOf(member.original) !== undefined) this.#expandNested(scope, member);
    }
    return [...inputs, ...straight];
  }

  /** A junction takes the place of a nested instance: complete nodes hear it, wires end in it. */
  #expandNested(scope: Scope, member: Member): void {
    const { original, node } = member;
    const nested = { ...original, wires: node.wires };
    const definition = this.file.subflow(subflowOf(original)!);
    const path = `${scope.path}/${original.id}`;
    let sink: string | undefined;
    if (definition?.status) {
      sink = this.newId(`${path}:status`);
      this.#extra.push({
        id: sink,
        type: 'function',
        name: original.name ?? '',
        func: STATUS_REPORTER,
        outputs: 0,
        x: node.x,
        y: node.y,
        g: node.g,
        wires: [],
      });
    }
    node.wires = [this.#expand(nested, scope, node.g!, sink)];
  }

  #open(instance: FlowNode, parent: Scope | undefined, around: string, statusSink?: string): Scope {
    const id = subflowOf(instance)!;
    const definition = this.file.subflow(id);
    if (!definition) throw new SubflowUnknownError(id);
    for (let outer = parent; outer; outer = outer.parent) {
      if (outer.definition !== definition) continue;
      throw new SubflowUnsupportedError(
        `subflow ${definition.name ?? id} contains itself`,
        'Take the instance of the subflow out of the subflow.',
      );
    }
    const path = parent ? `${parent.path}/${instance.id}` : instance.id;
    const place = { path, home: this.options.instance.z };
    const environment = instanceEnvironment(definition, instance, place, this.#credentials);
    const replace = (old: string) => parent?.members.get(old)?.node.id ?? this.#configs.include(old);
    // A group has a name of its own, and variables ask for it: that of the group around stays the answer.
    environment.name = this.#groups.nameOf(around) ?? groupName(parent, instance.g);
    const scope: Scope = {
      definition,
      instance,
      parent,
      path,
      group: this.newId(`${path}:group`),
      members: new Map(),
      statusSink,
    };
    for (const original of this.file.membersOf(id)) {
      if (original.d || original.type === 'comment') continue;
      const type = subflowOf(original) === undefined ? original.type : 'junction';
      const node = { id: this.newId(`${path}/${original.id}`), type };
      scope.members.set(original.id, { original, node });
    }
    const own = (old: string) => scope.members.get(old)?.node.id ?? replace(old);
    environment.env = environment.env.map((entry) =>
      entry.type === 'conf-type' && typeof entry.value === 'string'
        ? { ...entry, value: own(entry.value) ?? entry.value }
        : entry,
    );
    this.#groups.add(`${path}:group`, environment, around);
    this.#scopes.push(scope);
    return scope;
  }

  /** Makes the new node of a member, with its references and wires inside the scope. */
  #fill(scope: Scope, member: Member): void {
    const { original, node } = member;
    const idOf = (id: unknown) => scope.members.get(String(id))?.node.id;
    const place = {
      g: (original.g === undefined ? undefined : idOf(original.g)) ?? scope.group,
      ...('x' in original ? { x: original.x, y: Number(original.y) + this.#bottom } : {}),
      wires: original.wires?.map((port) => port.flatMap((id) => idOf(id) ?? [])) ?? [],
    };
    if (node.type === 'junction') {
      Object.assign(node, place, original.name ? { name: original.name } : {});
      return;
    }
    const copy = copyOf(original, (id) => idOf(id) ?? this.#include(id, scope, member));
    const credentials = this.#credentials(original.id);
    Object.assign(copy, place, { id: node.id }, credentials ? { credentials } : {});
    if (isConfig(original) || original.type === 'group') delete copy.wires;
    if (Array.isArray(original.links)) copy.links = original.links.flatMap((id) => idOf(id) ?? []);
    if (Array.isArray(original.scope)) copy.scope = original.scope.flatMap((id) => idOf(id) ?? []);
    if (original.type === 'link call' && original.linkType !== 'dynamic') checkLinkCall(original, copy);
    Object.assign(node, copy);
  }

  #include(id: string, scope: Scope, member: Member): string | undefined {
    const included = this.#configs.include(id);
    if (included !== undefined) this.#users.set(id, [...(this.#users.get(id) ?? []), { scope, member }]);
    return included;
  }

  #join({ members }: Scope, { id, port = 0 }: PortWire, targets: readonly string[]): void {
    const node = members.get(id)?.node;
    if (!node) return;
    node.wires ??= [];
    while (node.wires.length <= port) node.wires.push([]);
    node.wires[port]!.push(...targets);
  }

  #addPort(name: string, port: PortNode, wires: string[][] = []): string {
    const id = this.newId(`port/${name}`);
    this.#extra.push({ ...structuredClone(port), id, x: 100, y: 40 + 40 * this.#extra.length, wires });
    this.#bottom = 40 * this.#extra.length + GAP;
    return id;
  }

  #result(): ExpandedSubflow {
    const members = this.#scopes.flatMap(({ members }) => [...members.values()]);
    const nodes = [...this.#groups.nodes, ...this.#extra];
    const configs = this.#configs.all.map(({ node }) => node);
    for (const { original, node } of members) (isConfig(original) ? configs : nodes).push(node);
    fillGroups(nodes);
    const types = new Set([...nodes, ...configs].map(({ type }) => type));
    types.delete('group');
    const origins = new Map<string, string>();
    for (const { path, members: inside, parent, statusSink } of this.#scopes) {
      for (const { original, node } of inside.values()) origins.set(node.id, `${path}/${original.id}`);
      if (parent && statusSink) origins.set(statusSink, path);
    }
    return { nodes, configs, types: [...types].sort(), origins };
  }
}

function groupName(scope: Scope | undefined, group: string | undefined): string | undefined {
  return group === undefined ? undefined : scope?.members.get(group)?.original.name;
}

function checkLinkCall(original: FlowNode, copy: FlowNode): void {
  const targets = [original.links].flat();
  if (targets.length === 0 || [copy.links].flat().length > 0) return;
  throw new SubflowUnsupportedError(
    `link call ${original.name || original.id} calls a node outside of its subflow`,
    'Put the link in node that it calls into the subflow.',
  );
}
