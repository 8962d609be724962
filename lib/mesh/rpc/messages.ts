import type { ErrorDocument } from '../../base';

export const RPC_PROTOCOL = '/garua/rpc/1';

/** From the caller. One stream carries all calls of a host to another; `id` tells them apart. */
export type Request =
  | { id: number; call: string; argument?: unknown; timeoutMs: number }
  | { cancel: number };

/** To the caller, in whatever order the answers come. */
export type Response = { id: number; result?: unknown } | { id: number; error: ErrorDocument };
