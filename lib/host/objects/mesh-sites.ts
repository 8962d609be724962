import type { LongCall } from '../../base';
import { isSignedBy, type Mesh } from '../../mesh';
import type { Locator, Provider, Signer, Sites } from '../../store';
import type { HostFog } from '../fog';
import { MeshProvider } from './mesh-provider';

/** The other sites of the fog, who has what beyond them, and this host's signature: the mesh as the store needs it. */
export class MeshSites implements Sites, Locator, Signer {
  readonly #fog: HostFog;
  readonly #site: string;
  #mesh: Mesh | undefined;

  constructor(fog: HostFog, site: string) {
    this.#fog = fog;
    this.#site = site;
    fog.whenOpen((mesh) => {
      this.#mesh = mesh;
    });
  }

  /** A process that ends soon opens its mesh only here: what is on the NAS needs none. */
  async met(): Promise<void> {
    if (!this.#fog.isMember) return;
    // Without a port to listen on it is as if it were cut off; the calls of the fog itself say why.
    await this.#fog.meeting().catch(() => {});
  }

  connected(): Provider[] {
    return this.#others()
      .filter(({ site, state }) => site !== this.#site && state === 'up')
      .map((host) => new MeshProvider(this.#mesh!, host));
  }

  names(): string[] {
    const sites = new Set(this.#others().map(({ site }) => site));
    sites.delete(this.#site);
    return [...sites];
  }

  async provide(cid: string, { signal = NEVER }: LongCall): Promise<void> {
    await this.#mesh?.locator.provide(cid, signal);
  }

  /** Also hosts of this site, should they not share its NAS after all. */
  async *findProviders(cid: string, { signal = NEVER }: LongCall): AsyncIterable<Provider> {
    const mesh = this.#mesh;
    if (!mesh) return;
    for await (const peerId of mesh.locator.findProviders(cid, signal)) {
      const host = this.#others().find((other) => other.peerId === peerId);
      if (host && host.state !== 'down') yield new MeshProvider(mesh, host);
    }
  }

  async writer(): Promise<string> {
    return (await this.#fog.mesh()).peerId;
  }

  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    return (await this.#fog.mesh()).sign(bytes);
  }

  async verify(writer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return isSignedBy(writer, bytes, signature);
  }

  #others() {
    return this.#mesh?.hosts().filter(({ self }) => !self) ?? [];
  }
}

const NEVER = new AbortController().signal;
