import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianMirror, parseLines, parseStanzas, readAptSources } from '../../../lib/host/setup';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

describe('host/setup apt sources', () => {
  it('reads the one-line format with options, comments and several components', () => {
    const text = `# deb http://mirror.example/debian old main
deb http://mirror.example/debian bookworm main contrib # the mirror
deb-src http://mirror.example/debian bookworm main
deb [ arch=arm64 signed-by=${KEYRING} ] https://mirror.example/debian-security bookworm-security main
  deb http://flat.example/repository ./
`;
    assert.deepEqual(parseLines(text), [
      { uri: 'http://mirror.example/debian', suites: ['bookworm'], components: ['main', 'contrib'] },
      {
        uri: 'https://mirror.example/debian-security',
        suites: ['bookworm-security'],
        components: ['main'],
        signedBy: KEYRING,
      },
      { uri: 'http://flat.example/repository', suites: ['./'], components: [] },
    ]);
  });

  it('reads the deb822 format: comments inside a stanza, folded lines, several archives', () => {
    const text = `Types: deb deb-src
# a comment
URIs: http://one.example/debian
 http://two.example/debian
Suites: trixie
 trixie-updates
Components: main
signed-by: ${KEYRING}

Enabled: no
Types: deb
URIs: http://three.example/debian
Suites: sid
Components: main

Types: deb-src
URIs: http://four.example/debian
Suites: sid
Components: main
`;
    const same = { suites: ['trixie', 'trixie-updates'], components: ['main'], signedBy: KEYRING };
    assert.deepEqual(parseStanzas(text), [
      { uri: 'http://one.example/debian', ...same },
      { uri: 'http://two.example/debian', ...same },
    ]);
  });

  it('keeps a key that stands in the file itself', () => {
    const [source] = parseStanzas(`Types: deb
URIs: http://one.example/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w
 -----END PGP PUBLIC KEY BLOCK-----
`);
    assert.match(source!.signedBy!, /^-----BEGIN[\s\S]+\n \.\n mQIN[\s\S]+END PGP PUBLIC KEY BLOCK-----$/);
  });

  const mirrors: [string, string, string | undefined][] = [
    ['the main archive', 'deb http://m.example/debian bookworm main', 'http://m.example/debian'],
    ['a slash at the end', 'deb http://m.example/debian/ trixie main', 'http://m.example/debian/'],
    ['security only', 'deb http://m.example/debian-security bookworm-security main', undefined],
    ['backports only', 'deb http://m.example/debian bookworm-backports main', undefined],
    ['contrib only', 'deb http://m.example/debian bookworm contrib', undefined],
    ['another distribution', 'deb http://m.example/ubuntu noble main', undefined],
    ['no sources', '', undefined],
  ];
  for (const [name, line, expected] of mirrors) {
    it(`finds the mirror of Debian: ${name}`, () => {
      assert.equal(debianMirror(parseLines(line))?.uri, expected);
    });
  }

  describe('in a folder', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'garua-apt-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('reads what apt reads, in its order, and nothing else', () => {
      const parts = join(folder, 'sources.list.d');
      mkdirSync(parts);
      writeFileSync(join(folder, 'sources.list'), 'deb http://first.example/debian sid main\n');
      writeFileSync(join(parts, 'b.list'), 'deb http://third.example/debian sid main\n');
      writeFileSync(
        join(parts, 'a.sources'),
        'Types: deb\nURIs: http://second.example/debian\nSuites: sid\nComponents: main\n',
      );
      writeFileSync(join(parts, 'c.list.disabled'), 'deb http://fourth.example/debian sid main\n');
      assert.deepEqual(
        readAptSources(folder).map(({ uri }) => uri),
        ['http://first.example/debian', 'http://second.example/debian', 'http://third.example/debian'],
      );
    });

    it('finds nothing where there is no apt', () => {
      assert.deepEqual(readAptSources(join(folder, 'none')), []);
    });
  });
});
