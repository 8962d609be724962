import type { Node, NodeAPI } from 'node-red';
import { toGaruaError } from '../../lib/base';
import { useHost } from '../fog-host/use-host';
import type { Message } from './container-view';
import { Controller } from './controller';
import { fallbackName, placeOf } from './ownership';
import { type DeployContainerDef, readSettings } from './settings';
import { StatusLine, type Translate } from './status-line';

export = (RED: NodeAPI): void => {
  function DeployContainer(this: Node, definition: DeployContainerDef): void {
    RED.nodes.createNode(this, definition);
    const place = placeOf(this as Parameters<typeof placeOf>[0]);
    const translate = (key: string, values?: Record<string, string | number>) => RED._(key, values as never);
    let controller: Controller;
    try {
      const image = definition.imageType === 'msg' ? '' : (definition.image ?? '');
      controller = new Controller(
        readSettings(definition, fallbackName(image, place)),
        useHost(RED, definition.host),
        {
          place,
          translate,
          status: (status) => this.status(status),
          send: (messages) => this.send(messages),
          warn: (key, values) => this.warn(translate(`deploy-container.${key}`, values)),
          property: (message, path) => RED.util.getMessageProperty(message, path),
        },
      );
    } catch (error) {
      refuse(this, error, translate);
      return;
    }

    let closing = false;
    this.on('input', (message, _send, done) => {
      controller.input(message as Message).then(
        () => done(),
        (error) => {
          // Whoever restarts the flow knows that its work ends.
          if (closing) return done();
          controller.showError(error);
          done(nodeError(error));
        },
      );
    });
    this.on('close', (removed: boolean, done: () => void) => {
      closing = true;
      controller
        .close(removed)
        .catch((error) => this.error(nodeError(error)))
        .finally(done);
    });
    // After all nodes of the flow are made: then it is known which names are still in use.
    setImmediate(() => {
      if (closing) return;
      controller.start().catch((error) => {
        if (closing) return;
        controller.showError(error);
        this.error(nodeError(error), { topic: definition.name } as Message);
      });
    });
  }

  RED.nodes.registerType('deploy-container', DeployContainer as never);
};

/** A node whose settings cannot be used says so, at once and to each message. */
function refuse(node: Node, error: unknown, translate: Translate): void {
  new StatusLine((status) => node.status(status), translate).error(toGaruaError(error));
  node.error(nodeError(error));
  node.on('input', (_message, _send, done) => done(nodeError(error)));
}

/** What `catch` nodes see: the code, and the hint both in the text and in `cause`. */
function nodeError(error: unknown): Error {
  const { code, message, hint } = toGaruaError(error, 'deploy-container');
  const stop = /[.!?]$/.test(message) ? '' : '.';
  return Object.assign(new Error(`${message}${stop} ${hint}`), {
    code,
    hint,
    cause: { code, message, hint },
  });
}
