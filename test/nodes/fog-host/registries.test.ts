import { deepEqual } from 'node:assert/strict';
import { registryAccess } from '../../../nodes/fog-host/registries';

const rows = [
  { host: 'registry.local:5000', insecure: true },
  { host: 'https://Private.Example.com/', username: 'me', slot: 3 },
  { host: 'docker.io', username: 'hub', slot: 0 },
  { host: 'half.example.com', username: 'me', slot: 4 },
];
const passwords = { password0: 'hub-secret', password3: 'secret' };
const hub = { credentials: { username: 'hub', password: 'hub-secret' } };

describe('registryAccess', () => {
  for (const [image, access] of [
    ['registry.local:5000/web:1', { insecure: true }],
    ['private.example.com/team/web', { credentials: { username: 'me', password: 'secret' } }],
    ['busybox', hub],
    ['library/busybox:1', hub],
    ['index.docker.io/library/busybox', hub],
    ['half.example.com/web', {}],
    ['registry.local/web', {}],
    ['oci:registry.local:5000/web', {}],
  ] as const) {
    it(`knows what ${image} needs`, () => deepEqual(registryAccess(rows, passwords, image), access));
  }
});
