import type { PortAnswer, PortOrder } from '../ports';

/** The nodes of the instances that run in this machine's Node-RED. */
export interface PortCommands {
  /**
   * Commands one instance; rejects when its nodes are not there, or go away before they have answered.
   */
  command(
    instance: string,
    order: PortOrder,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<PortAnswer>;
  isAttached(instance: string): boolean;
  /** Calls the listener for each instance whose nodes come, also when they come back. @returns undoes it */
  onAttached(listener: (instance: string) => void): () => void;
}
