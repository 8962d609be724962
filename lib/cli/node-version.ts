/** The oldest Node.js that has all that Garua uses: major and minor version. */
const OLDEST = [22, 15] as const;

/** Whether a Node.js, as `process.versions.node` names it, is too old for Garua. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

// Import it first: what comes after it may use what an old Node.js does not have.
if (isTooOld(process.versions.node)) {
  process.stderr.write(
    `error ERR_NODE_TOO_OLD: garua needs Node.js ${OLDEST.join('.')} or later, and this is ${process.versions.node}\n` +
      'hint: Install a newer Node.js; in a checkout, npm start brings one to .toolchain/bin/node.\n',
  );
  process.exit(1);
}
