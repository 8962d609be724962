import { InvalidArgumentError } from '../../base';
import { invalidField } from '../errors';
import { fullName, isCapability } from '../spec/capabilities';
import { absolutePath, boolean, type FieldCheck, fields, list, oneOf, text } from '../spec/checks';
import { globToRegExp } from './glob';

/** What other hosts of the fog may do on this one. */
export interface PeerRights {
  /** Place containers here. */
  containers: boolean;
  /** Place flows here. */
  flows: boolean;
  /** Read the objects of this site. */
  objects: boolean;
  /** Reach the services of this host's containers. */
  services: boolean;
}

/** The document policy.json: what those who may use this host can do with it. What is absent has its default. */
export interface PolicyDocument {
  /** Folders of the host that may be mounted, with all that is in them. Absent: everything. */
  mounts?: string[];
  /** Patterns for paths of devices, such as `/dev/gpiochip*`. Absent: all. */
  devices?: string[];
  /** Of `bridge`, `host` and `none`. Absent: all. */
  networks?: string[];
  /** Capabilities beyond the default ones that a container may be given, or `ALL`. Absent: none. */
  capabilities?: string[];
  /** Whether containers may be privileged. Absent: no. */
  privileged?: boolean;
  /** Patterns for full references, such as `docker.io/library/*`. Absent: all. */
  images?: string[];
  /** Whether checkpoints may be restored, of files and of migrations; whoever made one says what runs. Absent: no. */
  restore?: boolean;
  /** Absent: all is allowed. */
  peers?: Partial<PeerRights>;
}

const CHECKS: Record<keyof PolicyDocument, FieldCheck> = {
  mounts: each(absolutePath),
  devices: each((value, field) => {
    absolutePath(value, field);
    checkPattern(value, field);
  }),
  networks: each(oneOf(['bridge', 'host', 'none'])),
  capabilities: each((value, field) => {
    text(value, field);
    if (!isCapability(value)) throw invalidField(field, `"${value}" is not a capability of Linux`);
  }),
  privileged: boolean,
  images: each((value, field) => {
    text(value, field);
    checkPattern(value, field);
  }),
  restore: boolean,
  peers: (value, field) =>
    fields(value, field, { containers: boolean, flows: boolean, objects: boolean, services: boolean }),
};

/**
 * Reads a policy's text. Nothing is overlooked: a field that is not known may be a misspelt restriction.
 *
 * @throws {InvalidArgumentError} naming the fault
 */
export function parsePolicy(json: string): PolicyDocument {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new InvalidArgumentError(`it is not JSON: ${(cause as Error).message}`, undefined, { cause });
  }
  fields(document, 'policy', CHECKS);
  const policy = document as PolicyDocument;
  return policy.capabilities ? { ...policy, capabilities: policy.capabilities.map(fullName) } : policy;
}

function each(check: FieldCheck): FieldCheck {
  return (value, field) => {
    list(value, field).forEach((item, index) => {
      check(item, `${field}[${index}]`);
    });
  };
}

function checkPattern(value: string, field: string): void {
  try {
    globToRegExp(value);
  } catch (cause) {
    throw invalidField(field, `"${value}" is not a pattern: ${(cause as Error).message}`);
  }
}
