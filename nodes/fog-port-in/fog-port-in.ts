import type { Node, NodeAPI, NodeDef } from 'node-red';
import { toGaruaError } from '../../lib/base';
import type { PortInSettings } from '../../lib/placement';
import { nodeError, StatusLine, type Translate } from '../feedback';
import { hostPool } from '../fog-host/host-pool';
import { PortLink } from '../fog-port';
import { OperatorInstance } from './instance';

interface FogPortInDef extends NodeDef, PortInSettings {}

/** The runtime side of a fog-port-in: where the messages of an operator come into its tab. */
class FogPortInNode {
  readonly #node: Node;
  readonly #status: StatusLine;
  readonly #release: () => Promise<void>;
  readonly #instance: OperatorInstance;
  readonly #link: PortLink;
  #failure = '';

  constructor(RED: NodeAPI, node: Node, definition: FogPortInDef, translate: Translate) {
    this.#node = node;
    this.#status = new StatusLine('fog-port-in', (status) => node.status(status), translate);
    const { instance, dataDirectory, origins, key, cpu } = definition;
    const { host, release } = hostPool.acquire({ dataDirectory });
    this.#release = release;
    const onError = (error: unknown) => this.#fail(error);
    const settings = { instance, dataDirectory, origins, key, cpu };
    this.#instance = new OperatorInstance({ RED, node, settings, host, onError });
    this.#status.working('connecting');
    this.#link = new PortLink({
      instance,
      host,
      onError,
      obey: (command) => this.#instance.obey(command),
      onAttached: () => {
        this.#failure = '';
        this.#status.ok('connected');
      },
    });
  }

  async close(): Promise<void> {
    try {
      await Promise.all([this.#link.close(), this.#instance.close()]);
    } finally {
      await this.#release();
    }
  }

  #fail(error: unknown): void {
    this.#status.failed();
    const { code } = toGaruaError(error);
    if (code !== this.#failure) this.#node.error(nodeError(error, 'fog-port-in'), {} as never);
    this.#failure = code;
  }
}

export = (RED: NodeAPI): void => {
  function FogPortIn(this: Node, definition: FogPortInDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    // One that was put into a flow by hand belongs to no operator.
    if (!definition.instance) {
      this.status({ fill: 'grey', shape: 'ring', text: translate('fog-port-in.status.idle').slice(0, 19) });
      return;
    }
    const node = new FogPortInNode(RED, this, definition, translate);
    this.on('close', (done: () => void) => {
      void node
        .close()
        .catch(() => {})
        .finally(done);
    });
  }

  RED.nodes.registerType('fog-port-in', FogPortIn as never);
};
