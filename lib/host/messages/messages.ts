import type { Database } from '../../base';
import { type FogMesh, FogMessages, type Messages } from '../../mesh';
import type { HostFog } from '../fog';

/** Messages of this host, there as soon as its mesh is open: others send to its subscribers unasked. */
export class HostMessages {
  readonly #fog: HostFog;
  readonly #database: Database;
  #messages: FogMessages | undefined;

  constructor(fog: HostFog, database: Database) {
    this.#fog = fog;
    this.#database = database;
    fog.whenOpen((mesh) => {
      try {
        this.#attach(mesh);
      } catch {
        // The call that needs them says why.
      }
    });
  }

  /** Opens the mesh where that is not done. @throws {ListenError} */
  async open(): Promise<Messages> {
    return this.#attach(await this.#fog.mesh());
  }

  async close(): Promise<void> {
    await this.#messages?.close();
  }

  #attach(mesh: FogMesh): FogMessages {
    this.#messages ??= new FogMessages(mesh, this.#database);
    return this.#messages;
  }
}
