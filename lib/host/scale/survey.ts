import type { MeshHost } from '../../mesh';
import type { Candidate } from './choose';
import type { ScaleLink, Sight } from './links';

/** A host of the fog that answers, and what runs there under the name that is scaled. */
export interface SurveyedHost extends Candidate {
  name: string;
  here: boolean;
  /** null while it is not known. */
  arch: string | null;
  /** null where the load is not known. */
  memory: number | null;
  link: ScaleLink;
  /** Its container of that name. */
  sight: Sight | null;
}

export interface Survey {
  hosts: SurveyedHost[];
  /** In words, why other hosts do not count. */
  missing: string[];
}

/** Asks all hosts that are up what they run under a name. */
export async function survey(
  hosts: MeshHost[],
  linkOf: (host: MeshHost) => ScaleLink,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Survey> {
  const found: Survey = { hosts: [], missing: [] };
  const look = async (host: MeshHost) => {
    if (host.state === 'down') {
      found.missing.push(`${host.name} is down`);
      return;
    }
    const link = linkOf(host);
    try {
      found.hosts.push({ ...describe(host), link, sight: await link.look(name, signal) });
    } catch (error) {
      if (host.self) throw error;
      found.missing.push(`${host.name}: ${(error as Error).message}`);
    }
  };
  await Promise.all(hosts.map(look));
  found.missing.sort();
  return found;
}

function describe({ name, peerId, site, self, abilities, load }: MeshHost) {
  return {
    ...{ name, peerId, site, here: self },
    arch: abilities?.arch ?? null,
    memory: load?.freeMemory ?? null,
    freeMemory: load?.freeMemory ?? 0,
    freeCpus: load?.freeCpus ?? 0,
  };
}
