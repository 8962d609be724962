import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { formatReference, parseReference } from '../../../lib/image/reference';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('image reference', () => {
  const canonical: [written: string, full: string][] = [
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['  alpine:3.20\n', 'docker.io/library/alpine:3.20'],
    ['user/app', 'docker.io/user/app:latest'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/library/alpine:1', 'docker.io/library/alpine:1'],
    ['docker://alpine:1', 'docker.io/library/alpine:1'],
    ['docker://host.example/a/b/c:1', 'host.example/a/b/c:1'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x:1', 'localhost:5000/x:1'],
    ['Host/x', 'Host/x:latest'],
    ['[::1]:5000/a:1', '[::1]:5000/a:1'],
    [`host:5000/a/b@${DIGEST}`, `host:5000/a/b@${DIGEST}`],
    [`alpine:3.20@${DIGEST}`, `docker.io/library/alpine:3.20@${DIGEST}`],
    ['a.b/c__d/e---f/g.h:V_1-x.y', 'a.b/c__d/e---f/g.h:V_1-x.y'],
    [`a:${'t'.repeat(128)}`, `docker.io/library/a:${'t'.repeat(128)}`],
    ['oci:/srv/web', 'oci:/srv/web'],
    ['oci:/srv/web:v1', 'oci:/srv/web:v1'],
    ['oci:images/../web:v1', `oci:${resolve('web')}:v1`],
    ['oci-archive:/srv/web.tar:v1', 'oci-archive:/srv/web.tar:v1'],
    ['docker-archive:/srv/web.tar:user/web:1', 'docker-archive:/srv/web.tar:user/web:1'],
  ];
  for (const [written, full] of canonical) {
    it(`reads ${JSON.stringify(written.slice(0, 60))}`, () => {
      const text = formatReference(parseReference(written));
      assert.equal(text, full);
      assert.equal(formatReference(parseReference(text)), full, 'the full form reads back to itself');
    });
  }

  it('takes the tag and the digest apart', () => {
    assert.deepEqual(parseReference(`host:5000/a/b:1@${DIGEST}`), {
      transport: 'registry',
      registry: 'host:5000',
      repository: 'a/b',
      tag: '1',
      digest: DIGEST,
    });
    assert.equal(parseReference(`a@${DIGEST}`).tag, undefined);
  });

  const invalid: [written: string, reason: RegExp][] = [
    ['', /empty/],
    ['   ', /empty/],
    ['Alpine', /capital/],
    ['user/App', /capital/],
    ['a//b', /part of the name is empty/],
    ['/a', /part of the name is empty/],
    ['host.example/', /name is missing/],
    ['a/', /part of the name is empty/],
    ['-a', /"-a" is not valid/],
    ['a..b', /not valid/],
    ['a___b', /not valid/],
    ['user/a b', /not valid/],
    ['a/../b', /not valid/],
    ['user/é', /not valid/],
    ['a:', /tag is empty/],
    ['a:-x', /tag "-x"/],
    [`a:${'t'.repeat(129)}`, /tag/],
    ['a@sha256:12', /digest is not valid/],
    [`a@sha256:${'A'.repeat(64)}`, /digest is not valid/],
    [`a@sha512:${'a'.repeat(128)}`, /sha512 are not supported/],
    [`a@${DIGEST}@${DIGEST}`, /more than one @/],
    ['host:0/a', /"0" is not a port/],
    ['host:65536/a', /not a port/],
    ['host:x/a', /not a port/],
    ['-host.example/a', /not a host name/],
    ['ho_st.example/a', /not a host name/],
    ['https://host.example/a', /https:\/\/ is not known/],
    ['f'.repeat(64), /image ID/],
    [`h.example/${'a/'.repeat(127)}bb`, /more than 255/],
    ['oci:', /path is missing/],
    ['oci:/x:', /tag after the path is empty/],
    ['docker-archive::a', /path is missing/],
    ['oci:/a\0b', /zero byte/],
  ];
  for (const [written, reason] of invalid) {
    it(`refuses ${JSON.stringify(written.slice(0, 40))}`, () => {
      assert.throws(
        () => parseReference(written),
        (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, 'ERR_IMAGE_REFERENCE_INVALID');
          assert.match(error.message, reason);
          assert.ok(error.hint.length > 0);
          assert.ok(error.message.length < 600);
          return true;
        },
      );
    });
  }
});
