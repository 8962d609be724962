import { realpath } from 'node:fs/promises';
import type { DataDirectory } from '../../base';
import { DEFAULT_CAPABILITIES } from '../bundle/capabilities';
import { PolicyRefusedError } from '../errors';
import { ALL } from '../spec/capabilities';
import type { CompleteSpec } from '../spec/complete';
import type { PeerRights } from './document';
import { isWithin, matchesAny } from './glob';
import { type PolicyFile, readPolicy } from './read';

/** The rules of one moment. They are read anew for each deploy and start, so that no restart is needed. */
export class Policy {
  readonly #file: PolicyFile;

  constructor(file: PolicyFile) {
    this.#file = file;
  }

  /** @throws {PolicyInvalidError} */
  static async of(directory: DataDirectory): Promise<Policy> {
    return new Policy(await readPolicy(directory));
  }

  /** What peers may do here. */
  get peers(): PeerRights {
    return { containers: true, flows: true, objects: true, services: true, ...this.#file.document.peers };
  }

  /**
   * @param what in words, such as `reading objects by the host 12D3...`
   * @throws {PolicyRefusedError} with the code ERR_POLICY_REFUSED
   */
  checkPeer(right: keyof PeerRights, what: string): void {
    if (!this.peers[right]) this.#refuse('peers', 'REFUSED', what, `{"${right}": true}`);
  }

  /**
   * @param reference a full one, as `formatReference` answers it
   * @throws {PolicyRefusedError}
   */
  checkImage(reference: string): void {
    const { images } = this.#file.document;
    if (images && !matchesAny(reference, images)) this.#refuse('images', 'IMAGE', `the image ${reference}`);
  }

  /**
   * A checkpoint, in a file or sent by another host, may hold any processes, whatever its container was allowed: with
   * a policy, one that says so must let it in.
   *
   * @throws {PolicyRefusedError}
   */
  checkRestore(what = 'restoring a checkpoint file'): void {
    const { document, isAbsent } = this.#file;
    if (!document.restore && !isAbsent) this.#refuse('restore', 'RESTORE', what, 'true');
  }

  /**
   * All of a spec that can be judged without looking at the host's files.
   *
   * @throws {PolicyRefusedError}
   */
  checkSpec({ network, privileged, capabilities }: CompleteSpec): void {
    const { networks, privileged: mayBePrivileged, capabilities: allowed = [] } = this.#file.document;
    if (networks && !networks.includes(network)) {
      this.#refuse('networks', 'NETWORK', `network: the network "${network}"`);
    }
    if (privileged && !mayBePrivileged) {
      this.#refuse('privileged', 'PRIVILEGED', 'privileged: a privileged container', 'true');
    }
    const refused = capabilities?.add?.find(
      (name) => ![...DEFAULT_CAPABILITIES, ...allowed].includes(name) && !allowed.includes(ALL),
    );
    if (refused) {
      const example = JSON.stringify([...allowed, refused]);
      this.#refuse('capabilities', 'CAPABILITY', `capabilities.add: ${refused}`, example);
    }
  }

  /** Whether there are folders of the host that may not be mounted. */
  get restrictsMounts(): boolean {
    return this.#file.document.mounts !== undefined;
  }

  /**
   * @param source the path that was asked for
   * @param resolved where it leads, without any symbolic link
   * @throws {PolicyRefusedError}
   */
  async checkMount(source: string, resolved: string): Promise<void> {
    const { mounts } = this.#file.document;
    if (!mounts) return;
    for (const prefix of mounts) {
      const folder = await realpath(prefix).catch(() => undefined);
      if (folder && isWithin(resolved, folder)) return;
    }
    const place = source === resolved ? source : `${source} (which is ${resolved})`;
    this.#refuse('mounts', 'MOUNT', `mounts: ${place}`);
  }

  /**
   * A pattern may name a device's own path or a link to it, such as those of /dev/serial/by-id.
   *
   * @throws {PolicyRefusedError}
   */
  checkDevice(source: string, resolved: string): void {
    const { devices } = this.#file.document;
    if (!devices || matchesAny(resolved, devices)) return;
    // Only below /dev is a link root's.
    if (source.startsWith('/dev/') && matchesAny(source, devices)) return;
    const place = source === resolved ? source : `${source} (which is ${resolved})`;
    this.#refuse('devices', 'DEVICE', `devices: ${place}`);
  }

  #refuse(field: string, code: string, what: string, example?: string): never {
    throw new PolicyRefusedError(code, what, this.#file.path, field, example);
  }
}
