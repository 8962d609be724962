/** `ready` gets connections; `not-ready`: its probe has not said so; `unreachable`: its host is not up. */
export type InstanceState = 'ready' | 'not-ready' | 'unreachable';

/** A container that offers a service, as this host sees it. */
export interface ServiceInstance {
  container: string;
  /** The name of the host it runs on. */
  host: string;
  site: string;
  state: InstanceState;
  /** To its host: 0 for this one, null while it was not measured. */
  rttMs: number | null;
}

/** A service by its name, with its instances, the nearest first. */
export interface ServiceStatus {
  name: string;
  /** The port on 127.0.0.1 that leads to it from this host; null while it is not in use here. */
  port: number | null;
  instances: ServiceInstance[];
}

/** What a host tells the others about an instance it runs. */
export interface Announced {
  service: string;
  container: string;
  ready: boolean;
}
