import { GaruaError, InvalidArgumentError } from '../base';

/** No container of that name on this host. */
export class ContainerNotFoundError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_NOT_FOUND',
      `there is no container named ${name}`,
      'garua ps lists the containers of this host.',
    );
  }
}

/** The container has to be stopped first. */
export class ContainerRunningError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_RUNNING',
      `container ${name} is running`,
      `Stop it first (garua stop ${name}), or remove it with --force.`,
    );
  }
}

/** What was asked for needs a container that runs. */
export class ContainerNotRunningError extends GaruaError {
  constructor(name: string, state: string) {
    super(
      'ERR_CONTAINER_NOT_RUNNING',
      `container ${name} is not running: it is ${state}`,
      `Start it first (garua start ${name}); garua logs ${name} may say why it ended.`,
    );
  }
}

/** Nobody can write to the container's standard input. */
export class ContainerNoInputError extends GaruaError {
  constructor(name: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_NO_INPUT',
      `the program of container ${name} reads no standard input`,
      'Deploy it with stdin, and let its first process read from there.',
      options,
    );
  }
}

/** runc would not run one more command in a container; the message is its own. */
export class ExecRefusedError extends GaruaError {
  constructor(name: string, message: string) {
    super(
      'ERR_CONTAINER_EXEC_REFUSED',
      `no command can be run in container ${name}: ${message || 'runc said nothing'}`,
      'The working directory must be there, and the container must have room for one more process.',
    );
  }
}

export class ContainerNameInvalidError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_NAME_INVALID',
      `name: "${name}" cannot be the name of a container`,
      'Use 1 to 63 letters, digits, "_", "." or "-", and begin with a letter or digit.',
    );
  }
}

/** Neither the image nor the caller says what to run. */
export class NoCommandError extends GaruaError {
  constructor(image: string) {
    super(
      'ERR_CONTAINER_NO_COMMAND',
      `image ${image} names no command and none was given`,
      'Say what to run: garua run IMAGE -- COMMAND, or the command field of the node.',
    );
  }
}

export class CommandNotFoundError extends GaruaError {
  constructor(command: string, image: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_COMMAND_NOT_FOUND',
      `command ${command} is not in image ${image}`,
      'Check the spelling and PATH; small images may hold no shell at all.',
      options,
    );
  }
}

export class CommandNotExecutableError extends GaruaError {
  constructor(command: string, image: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE',
      `command ${command} of image ${image} cannot be executed: ${why}`,
      'A command must be an executable file that the chosen user may execute.',
      options,
    );
  }
}

export class WrongArchitectureError extends GaruaError {
  constructor(image: string, wanted: string, here: string) {
    super(
      'ERR_CONTAINER_WRONG_ARCHITECTURE',
      `image ${image} is made for ${wanted}, this machine is ${here}`,
      `Use an image for ${here}, or register an emulator for ${wanted} with binfmt_misc.`,
    );
  }
}

export class MountSourceMissingError extends GaruaError {
  constructor(source: string, target: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_MOUNT_SOURCE_MISSING',
      `mounts: ${source}, to be mounted at ${target}, does not exist on this host`,
      'Create it first: it is not made up, so that a mistyped path is seen.',
      options,
    );
  }
}

export class MountChangedError extends GaruaError {
  constructor(source: string, target: string) {
    super(
      'ERR_CONTAINER_MOUNT_CHANGED',
      `mounts: ${source} came to mean something else while it was mounted at ${target}`,
      'Try again; if it comes again, find out who changes links in its folders.',
    );
  }
}

export class UserNotFoundError extends GaruaError {
  constructor(what: 'user' | 'group', name: string, image: string, field: 'user' | 'groups' = 'user') {
    super(
      'ERR_CONTAINER_USER_NOT_FOUND',
      `${field}: image ${image} knows no ${what} named ${name}`,
      `Use a name from the image's /etc/${what === 'user' ? 'passwd' : 'group'}, or a number.`,
    );
  }
}

/** What the chosen network needs is not here. */
export class NetworkUnsupportedError extends GaruaError {
  constructor(field: 'network' | 'ports', message: string) {
    super(
      'ERR_CONTAINER_NETWORK_UNSUPPORTED',
      `${field}: ${message}`,
      'Install containernetworking-plugins (on Debian), or use the network "host" or "none".',
    );
  }
}

/** A CNI plugin or iptables refused; the message is theirs. */
export class NetworkFailedError extends GaruaError {
  constructor(tool: string, message: string) {
    super(
      'ERR_CONTAINER_NETWORK_FAILED',
      `the container cannot be connected: ${tool}: ${message || 'it said nothing'}`,
      'garua doctor checks the network tools; the network "host" needs none of them.',
    );
  }
}

export class PortTakenError extends GaruaError {
  constructor(port: number, protocol: string, holder: string) {
    super(
      'ERR_CONTAINER_PORT_TAKEN',
      `ports: port ${port}/${protocol} of this host is taken by ${holder}`,
      'Publish another port, or stop what uses this one.',
    );
  }
}

/** The kernel does not count memory per container. */
export class MemoryLimitUnsupportedError extends GaruaError {
  constructor() {
    super(
      'ERR_CONTAINER_MEMORY_LIMIT_UNSUPPORTED',
      'memory: this kernel runs without the memory cgroup, so no limit can be set',
      'On a Raspberry Pi add cgroup_enable=memory cgroup_memory=1 to cmdline.txt and reboot, or set no limit.',
    );
  }
}

export class RootMountError extends GaruaError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_ROOT_MOUNT',
      message,
      'The data directory must be on a file system that overlayfs accepts as upper layer, such as ext4.',
      options,
    );
  }
}

/** A layer of the image is no longer in the store. */
export class LayerMissingError extends GaruaError {
  constructor(name: string, path: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_LAYER_MISSING',
      `a layer of container ${name} is missing: ${path}`,
      'Pull the image again, then deploy the container anew.',
      options,
    );
  }
}

/** runc or conmon refused; the message is theirs, in plainer words where they are known. */
export class StartFailedError extends GaruaError {
  constructor(
    name: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      'ERR_CONTAINER_START_FAILED',
      `container ${name} could not start: ${reason}`,
      'garua doctor checks whether this host can run containers.',
      options,
    );
  }
}

/** A process that even SIGKILL does not end. */
export class StopFailedError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_STOP_FAILED',
      `container ${name} hangs in the kernel and cannot be killed`,
      'It probably waits for a device or a network file system; it ends when that answers, or with a reboot.',
    );
  }
}

/** The new container does not do what its probe asks for, or did not even go on running. */
export class NotReadyError extends GaruaError {
  constructor(name: string, why: string) {
    super(
      'ERR_CONTAINER_NOT_READY',
      `container ${name} did not become ready: ${why}`,
      'Check what the probe asks for, and give a slow program a longer start period.',
    );
  }
}

/** The new container failed when it should have replaced the old one. The code is that of the failure. */
export class ReplaceFailedError extends GaruaError {
  constructor(name: string, cause: GaruaError, old: 'kept' | 'restored' | 'lost') {
    const outcome = {
      kept: 'the previous container goes on running',
      restored: 'the previous container is running again',
      lost: 'and the previous container could not be started again either',
    }[old];
    super(cause.code, `${cause.message}; ${outcome}`, cause.hint || `garua logs ${name} may say more.`, {
      cause,
    });
  }
}

/** A field of the spec has a value that cannot be used. The message begins with the field's name. */
export function invalidField(field: string, problem: string, hint?: string): InvalidArgumentError {
  return new InvalidArgumentError(`${field}: ${problem}`, hint);
}

/** A capability that this process does not have itself, so it cannot give it. */
export class CapabilityMissingError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_CAPABILITY_MISSING',
      `capabilities.add: ${name} cannot be given, for this process does not have it`,
      'Run Garua as root of the host itself (inside a container or a service it has fewer capabilities), or leave it out.',
    );
  }
}

export class DeviceMissingError extends GaruaError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_DEVICE_MISSING',
      `devices: ${path} does not exist on this host`,
      'Plug it in or load its driver; ls -l /dev shows what there is.',
      options,
    );
  }
}

export class NotADeviceError extends GaruaError {
  constructor(path: string, what: string) {
    super(
      'ERR_CONTAINER_NOT_A_DEVICE',
      `devices: ${path} is ${what}`,
      'Name a device such as /dev/gpiochip0, or a folder of devices such as /dev/snd; share files as mounts.',
    );
  }
}

/** The kernel has not got what a limit needs. */
export class LimitUnsupportedError extends GaruaError {
  constructor(field: 'swap' | 'pids' | 'cpus' | 'ioWeight', problem: string, hint: string) {
    super('ERR_CONTAINER_LIMIT_UNSUPPORTED', `${field}: ${problem}`, hint);
  }
}

/** A policy file that cannot be relied on allows nothing. */
export class PolicyInvalidError extends GaruaError {
  constructor(
    readonly path: string,
    fault: string,
    options?: ErrorOptions,
  ) {
    super(
      'ERR_POLICY_INVALID',
      `the policy ${path} is not valid, so nothing is allowed: ${fault}`,
      `Correct it as root; it and its folder must belong to root and be writable by root only (chown root:root ${path}; chmod 644 ${path}).`,
      options,
    );
  }
}

/** The host's policy does not allow it. The code is `ERR_POLICY_` and what was refused. */
export class PolicyRefusedError extends GaruaError {
  constructor(
    code: string,
    what: string,
    path: string,
    field: string,
    example = '[..., what it shall allow]',
  ) {
    super(
      `ERR_POLICY_${code}`,
      `${what} is not allowed by this host's policy (${path})`,
      `Whoever administers the host can allow it, as root, in ${path}: {"${field}": ${example}}.`,
    );
  }
}

/** No volume of that name on this host. */
export class VolumeNotFoundError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_VOLUME_NOT_FOUND',
      `there is no volume named ${name}`,
      'The names of volumes are case-sensitive; a volume is made by the first container that mounts it.',
    );
  }
}

export class VolumeInUseError extends GaruaError {
  constructor(name: string, users: string[]) {
    super(
      'ERR_VOLUME_IN_USE',
      `volume ${name} is used by ${users.join(', ')}`,
      'Remove the containers first (garua rm NAME); their other files go with them, the volume stays.',
    );
  }
}

/** Its processes could not be stopped where they are. */
export class FreezeFailedError extends GaruaError {
  constructor(name: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_CONTAINER_FREEZE_FAILED',
      `container ${name} cannot be frozen: ${reason}`,
      'The kernel needs the freezer of cgroups; garua doctor tells.',
      options,
    );
  }
}

/** What arrives has a volume of that name, whose files must not mix with those that are here. */
export class VolumeExistsError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_VOLUME_EXISTS',
      `there is a volume named ${name} on this host already`,
      `If its files are not needed, remove it (garua volumes --remove ${name}), then try again.`,
    );
  }
}
