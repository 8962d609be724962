import type { LongCall } from '../../base';
import type { FogView } from '../../migration/triggers';

export interface OutlookOptions extends LongCall {
  /**
   * Who is followed: a host of the fog, or `ADDRESS:PORT`, to which each site measures how long a TCP connection takes
   * to be made, or refused. Without it there are no latencies.
   */
  user?: string | undefined;
}

/** What decides whether containers of this host had better run elsewhere. */
export type Outlook = FogView;
