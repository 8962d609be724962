/**
 * Peer IDs of ed25519 keys without libp2p, which is large and only loaded once a fog needs it: base58 of an
 * identity multihash over the protobuf form of the key (libp2p specs, "Peer IDs and Keys").
 */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Multihash identity, 36 bytes; key type ed25519; 32 bytes of data. */
const PREFIX = Buffer.from('002408011220', 'hex');

export function peerIdOf(publicKey: Uint8Array): string {
  let number = BigInt(`0x${Buffer.concat([PREFIX, publicKey]).toString('hex')}`);
  let text = '';
  while (number > 0n) {
    text = ALPHABET[Number(number % 58n)] + text;
    number /= 58n;
  }
  // The leading zero byte.
  return `1${text}`;
}

/** The raw public key inside a peer ID, or undefined where it is no ed25519 peer ID. */
export function publicKeyOf(peerId: string): Buffer | undefined {
  if (!/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(peerId)) return undefined;
  let number = 0n;
  for (const letter of peerId) number = number * 58n + BigInt(ALPHABET.indexOf(letter));
  const bytes = Buffer.from(number.toString(16).padStart(76, '0'), 'hex');
  return bytes.subarray(0, 6).equals(PREFIX) ? bytes.subarray(6) : undefined;
}
