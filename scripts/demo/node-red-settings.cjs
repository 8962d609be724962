/** Settings of the demo's Node-RED. Where things are comes from `scripts/start.mjs`. */
const { dirname } = require('node:path');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = process.env.GARUA_DEMO_FOLDER;

module.exports = {
  uiHost: '127.0.0.1',
  flowFile: 'flows.json',
  credentialSecret: readFileSync(join(folder, 'node-red/credential-secret'), 'utf8').trim(),
  // The checkout itself is the package: its nodes, examples and icons.
  nodesDir: [dirname(dirname(__dirname))],
  garua: { dataDirectory: join(folder, 'data') },
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
