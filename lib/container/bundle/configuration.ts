import { resolve } from 'node:path';
import type { ImageConfig } from '../../image/image';
import { cgroupPath, cgroupVersion } from '../runtime/cgroup';
import type { CompleteSpec } from '../spec/complete';
import { grantableCapabilities } from './capabilities';
import { checkCommand, commandLine } from './command';
import { containerMounts, MASKED_PATHS, READONLY_PATHS } from './mounts';
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
}

/**
 * The OCI runtime configuration of a container. Everything that can be known to fail, fails here, before
 * anything is started.
 *
 * @throws the errors of `commandLine`, `checkCommand`, `resolveUser`, `containerMounts`, `containerResources`
 */
export async function runtimeConfiguration(input: ConfigurationInput): Promise<RuntimeConfig> {
  const { id, spec, image, root } = input;
  const args = commandLine(spec, image);
  const user = await resolveUser(root, spec.user ?? image.config?.User ?? '', spec.image);
  // As Docker does: an image's relative folder is meant from the root.
  const cwd = spec.workingDirectory ?? resolve('/', image.config?.WorkingDir ?? '');
  const hostname = containerHostname(spec);
  const env = environment(spec, image, { HOSTNAME: hostname, HOME: user.home });
  await checkCommand(args[0]!, { root, spec, cwd, path: env.PATH ?? DEFAULT_PATH });
  const capabilities = await grantableCapabilities();
  const shares = spec.network === 'host';
  return {
    ociVersion: '1.0.2',
    hostname,
    root: { path: root, readonly: false },
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids, umask: 0o022 },
      args,
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [await openFilesLimit()],
      noNewPrivileges: true,
    },
    mounts: await containerMounts(spec, await writeNetworkFiles(input.files, spec)),
    annotations: spec.labels,
    linux: {
      namespaces: await namespaces(shares),
      cgroupsPath: cgroupPath(id),
      resources: await containerResources(spec),
      // In its own network namespace a low port takes nothing from the host.
      sysctl: shares ? {} : { 'net.ipv4.ip_unprivileged_port_start': '0' },
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      seccomp: defaultSeccomp(),
    },
  };
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

async function namespaces(sharesNetwork: boolean): Promise<{ type: string }[]> {
  const types = ['pid', 'ipc', 'uts', 'mount'];
  if (!sharesNetwork) types.push('network');
  if ((await cgroupVersion()) === 2) types.push('cgroup');
  return types.map((type) => ({ type }));
}
