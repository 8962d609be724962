/**
 * 53 well-mixed bits of a text, as a fraction in (0, 1): two FNV-1a hashes with the finaliser of MurmurHash3.
 * The same on every host: operators of one flow must agree on it.
 */
export function hashFraction(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x01234567;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x01000193) + at;
  }
  const top = mix(high ^ text.length) >>> 5;
  const bottom = mix(low) >>> 6;
  return (top * 2 ** 26 + bottom + 0.5) / 2 ** 53;
}

function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
