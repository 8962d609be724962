/** Settings of a demo's Node-RED. Where things are comes from `scripts/start.mjs` or `scripts/city.mjs`. */
const { dirname, join } = require('node:path');
const { readFileSync } = require('node:fs');

const folder = process.env.GARUA_DEMO_FOLDER;
const socket = process.env.GARUA_DEMO_SOCKET;
const title = process.env.GARUA_DEMO_TITLE;

module.exports = {
  uiHost: '127.0.0.1',
  flowFile: 'flows.json',
  credentialSecret: readFileSync(join(folder, 'node-red/credential-secret'), 'utf8').trim(),
  // The checkout itself is the package: its nodes, examples and icons.
  nodesDir: [dirname(dirname(__dirname))],
  garua: socket ? { socket } : { dataDirectory: join(folder, 'data') },
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false, ...(title ? { page: { title }, header: { title } } : {}) },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
