import { resolve } from 'node:path';
import type { ImageConfig } from '../../image/image';
import { namespacePath } from '../network/namespace';
import { cgroupPath, cgroupVersion } from '../runtime/cgroup';
import type { CompleteSpec } from '../spec/complete';
import { containerCapabilities } from './capabilities';
import { checkCommand, commandLine } from './command';
import { writeCriuOptions } from './criu';
import { containerDevices } from './devices';
import { containerMounts, type MountSources, maskedPaths, READONLY_PATHS } from './mounts';
import { containerHostname, writeNetworkFiles } from './network-files';
import type { RuntimeConfig } from './oci';
import { containerResources, openFilesLimit } from './resources';
import { defaultSeccomp } from './seccomp';
import { resolveUser } from './user';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ConfigurationInput {
  id: string;
  spec: CompleteSpec;
  image: ImageConfig;
  /** Where the container's root is mounted on the host. */
  root: string;
  /** For generated files that the container sees. */
  files: string;
  sources: MountSources;
}

/**
 * The OCI runtime configuration of a container. Everything that can be known to fail, fails here, before
 * anything is started.
 *
 * @throws the errors of `commandLine`, `checkCommand`, `resolveUser`, `containerCapabilities`,
 *   `containerDevices`, `containerResources`, `containerMounts`
 */
export async function runtimeConfiguration(input: ConfigurationInput): Promise<RuntimeConfig> {
  const { id, spec, image, root, sources } = input;
  sources.policy.checkSpec(spec);
  const args = commandLine(spec, image);
  const user = await resolveUser(root, spec.user ?? image.config?.User ?? '', spec.groups ?? [], spec.image);
  // As Docker does: an image's relative folder is meant from the root.
  const cwd = spec.workingDirectory ?? resolve('/', image.config?.WorkingDir ?? '');
  const hostname = containerHostname(spec);
  const env = environment(spec, image, { HOSTNAME: hostname, HOME: user.home });
  await checkCommand(args[0]!, { root, spec, cwd, path: env.PATH ?? DEFAULT_PATH });
  const capabilities = await containerCapabilities(spec);
  const devices = await containerDevices(spec, sources.policy);
  const resources = await containerResources(spec, devices.rules);
  const additionalGids = [...new Set([...user.additionalGids, ...devices.groups])];
  const shares = spec.network === 'host';
  const privileged = spec.privileged === true;
  return {
    ociVersion: '1.0.2',
    hostname,
    root: { path: root, readonly: spec.readOnlyRoot === true },
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids, umask: 0o022 },
      args,
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [await openFilesLimit()],
      noNewPrivileges: !privileged,
    },
    // Last, for it may fill a volume, which is not undone when something else fails.
    mounts: await containerMounts(spec, await writeNetworkFiles(input.files, spec), sources),
    annotations: { ...annotations(spec.labels), ...(await writeCriuOptions(input.files)) },
    linux: {
      namespaces: await namespaces(shares ? undefined : namespacePath(id)),
      cgroupsPath: cgroupPath(id),
      resources,
      // In its own network namespace a low port takes nothing from the host.
      sysctl: shares ? {} : { 'net.ipv4.ip_unprivileged_port_start': '0' },
      devices: devices.nodes,
      maskedPaths: privileged ? [] : await maskedPaths(),
      readonlyPaths: privileged ? [] : READONLY_PATHS,
      ...(privileged ? {} : { seccomp: defaultSeccomp(capabilities) }),
    },
  };
}

/** Some annotations command runc, such as org.criu.config, which would run a program of the host: hence the prefix. */
function annotations(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`garua.label.${name}`, value]));
}

/** Defaults, then the image's variables, then the caller's. */
function environment(
  spec: CompleteSpec,
  image: ImageConfig,
  defaults: Record<string, string>,
): Record<string, string> {
  const fromImage = (image.config?.Env ?? [])
    .map((entry) => {
      const split = entry.indexOf('=');
      return split < 0 ? [entry, ''] : [entry.slice(0, split), entry.slice(split + 1)];
    })
    // An entry without a name means nothing, and runc refuses it.
    .filter(([name]) => name !== '');
  return { PATH: DEFAULT_PATH, ...defaults, ...Object.fromEntries(fromImage), ...spec.env };
}

/** Without a network of its own it shares the host's. */
async function namespaces(network: string | undefined): Promise<{ type: string; path?: string }[]> {
  const types = ['pid', 'ipc', 'uts', 'mount'];
  if ((await cgroupVersion()) === 2) types.push('cgroup');
  const made = types.map((type) => ({ type }));
  return network === undefined ? made : [...made, { type: 'network', path: network }];
}
