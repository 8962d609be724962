import { type FlowFile, type FlowNode, isConfig } from './flow-file';
import { copyOf } from './references';

/** A config node outside the subflow that goes along, since something inside uses it. */
export interface IncludedConfig {
  original: FlowNode;
  node: FlowNode;
}

/** The config nodes of the flow file or of the tab that are used, directly or by each other. */
export class IncludedConfigs {
  readonly #included = new Map<string, IncludedConfig>();

  /**
   * @param leave types that are not taken along: what refers to one finds nothing at the target.
   * @param groupOf the group whose variables a config node sees, by its container.
   */
  constructor(
    private readonly file: FlowFile,
    private readonly leave: ReadonlySet<string>,
    private readonly newId: (id: string) => string,
    private readonly groupOf: (container: string | undefined) => string,
    private readonly credentials: (id: string) => Record<string, unknown> | undefined,
  ) {}

  get all(): IncludedConfig[] {
    return [...this.#included.values()];
  }

  /** The new id of a config node that may go along, or undefined for any other id. */
  include(id: string): string | undefined {
    const known = this.#included.get(id);
    if (known) return known.node.id;
    const original = this.file.get(id);
    if (!original || !isConfig(original) || original.type === 'global-config') return undefined;
    if (original.d || this.leave.has(original.type) || this.file.subflow(original.z ?? '')) return undefined;
    const included = { original, node: { id: this.newId(id), type: original.type } as FlowNode };
    // Known before its own references are followed: they may lead back to it.
    this.#included.set(id, included);
    const credentials = this.credentials(id);
    Object.assign(
      included.node,
      copyOf(original, (each) => this.include(each)),
      {
        id: included.node.id,
        g: this.groupOf(original.z),
        ...(credentials ? { credentials } : {}),
      },
    );
    return included.node.id;
  }
}
