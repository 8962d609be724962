import type { NodeAPI } from 'node-red';

interface EditorSettings {
  uiHost?: string;
  uiPort?: number;
  httpAdminRoot?: string | false;
  https?: unknown;
}

/**
 * Where this Node-RED answers on its own machine, for operators that its host runs in it. Undefined where it has no
 * editor, or one behind TLS, whose certificate seldom stands for 127.0.0.1.
 */
export function ownEditor(RED: NodeAPI): string | undefined {
  const { uiHost, uiPort, httpAdminRoot, https } = RED.settings as unknown as EditorSettings;
  if (!uiPort || httpAdminRoot === false || https) return undefined;
  const isEverywhere = !uiHost || uiHost === '0.0.0.0' || uiHost === '::' || uiHost === 'localhost';
  const name = isEverywhere ? '127.0.0.1' : uiHost.includes(':') ? `[${uiHost}]` : uiHost;
  return new URL(httpAdminRoot || '/', `http://${name}:${uiPort}/`).href;
}
