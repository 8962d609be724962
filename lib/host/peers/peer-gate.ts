import type { DataDirectory } from '../../base';
import { type PeerRights, Policy } from '../../container';

export type PeerRight = keyof PeerRights;

const DEEDS: Record<PeerRight, string> = {
  containers: 'placing containers',
  flows: 'placing flows',
  objects: 'reading objects',
  services: 'reaching services',
};

/** How long one reading of the policy holds, in milliseconds: a transfer asks for each of its blocks. */
const FRESH = 1_000;

/**
 * Answers whether another host of the fog may do something here, by the `peers` of this host's policy.json. All that
 * is served to the mesh asks it first; a change of the policy counts a second later, without a restart.
 */
export class PeerGate {
  readonly #directory: DataDirectory;
  #read: { policy: Promise<Policy>; until: number } | undefined;

  constructor(directory: DataDirectory) {
    this.#directory = directory;
  }

  /**
   * @param peerId of the host that asks, as the handler's context names it
   * @throws {PolicyRefusedError} with the code ERR_POLICY_REFUSED
   * @throws {PolicyInvalidError} when there is a policy that cannot be relied on
   */
  async check(right: PeerRight, peerId: string): Promise<void> {
    (await this.#policy()).checkPeer(right, `${DEEDS[right]} here by the host ${peerId}`);
  }

  /** Whether other hosts may do it at all; not, where there is a policy that cannot be relied on. */
  async allows(right: PeerRight): Promise<boolean> {
    return this.#policy().then(
      ({ peers }) => peers[right],
      () => false,
    );
  }

  #policy(): Promise<Policy> {
    const now = performance.now();
    if (!this.#read || now >= this.#read.until) {
      this.#read = { policy: Policy.of(this.#directory), until: now + FRESH };
    }
    return this.#read.policy;
  }
}
