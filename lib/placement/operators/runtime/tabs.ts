import { AdminApi, type AdminApiOptions } from '../node-red';
import { NoNodeRedError } from './errors';
import type { InstanceRow, InstanceTable } from './instance-table';
import { prepareTab } from './prepare-tab';

export interface TabsOptions {
  table: InstanceTable;
  /** This host's peer ID, and its name. */
  peerId: string;
  host: string;
  dataDirectory: string;
  /** Its Node-RED, if it has one; read anew for each request. */
  nodeRed(): Promise<AdminApiOptions | undefined>;
}

/** The tabs of this host's instances in its Node-RED, changed one after another. */
export class Tabs {
  readonly #options: TabsOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TabsOptions) {
    this.#options = options;
  }

  /** @throws {NoNodeRedError} {NodeRedError} */
  async types(signal?: AbortSignal): Promise<string[]> {
    return [...(await (await this.#api()).types({ signal }))].sort();
  }

  /** Adds an instance's tab, unless it is there. @throws {NoNodeRedError} {NodeRedError} */
  add({ instance, spec }: InstanceRow, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      const { table, peerId, dataDirectory } = this.#options;
      const api = await this.#api();
      const known = (await this.#own(api, signal)).find(({ mark }) => isOf(mark, spec));
      const tab = prepareTab(spec, peerId, dataDirectory);
      table.setTab(instance, known?.id ?? (await api.addTab(tab, { signal })));
    });
  }

  /** Removes an instance's tab, also one that a crash left unrecorded. */
  remove({ spec, tab }: InstanceRow, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      const api = await this.#api();
      const id = tab ?? (await this.#own(api, signal)).find(({ mark }) => isOf(mark, spec))?.id;
      if (id !== undefined) await api.removeTab(id, { signal });
    });
  }

  /** Removes tabs of instances that this host does not know, and adds those that somebody removed. */
  mend(rows: () => InstanceRow[], signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      const { table, peerId, dataDirectory } = this.#options;
      const api = await this.#api();
      const tabs = await this.#own(api, signal);
      for (const { id, mark } of tabs) {
        if (!rows().some(({ spec }) => isOf(mark, spec))) await api.removeTab(id, { signal });
      }
      for (const { instance, spec, tab } of rows()) {
        if (tab === null || tabs.some(({ mark }) => isOf(mark, spec))) continue;
        table.setTab(instance, await api.addTab(prepareTab(spec, peerId, dataDirectory), { signal }));
      }
    });
  }

  async #own(api: AdminApi, signal?: AbortSignal) {
    const tabs = await api.operatorTabs({ signal });
    return tabs.filter(({ mark }) => mark.host === this.#options.peerId);
  }

  async #api(): Promise<AdminApi> {
    const settings = await this.#options.nodeRed();
    if (!settings) throw new NoNodeRedError(this.#options.host);
    return new AdminApi(settings);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function isOf(
  mark: { owner: string; operator: string; instance: string },
  spec: { owner: string; operator: string; number: number },
): boolean {
  return mark.owner === spec.owner && mark.operator === spec.operator && mark.instance === `${spec.number}`;
}
