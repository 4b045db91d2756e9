/*
 * PostgreSQL's hashtextextended(text, seed) in JavaScript, so that a checksum of the source can be compared with one
 * that the server computes. It is the hash of src/common/hashfn.c (Jenkins' lookup3) on a little-endian machine, where
 * servers of other byte orders give other numbers: `verify` compares samples first.
 */

/** A hash of 64 bits, as two unsigned halves. It is reused by each call. */
export interface Hash {
  high: number;
  low: number;
}

let scratch = Buffer.alloc(1 << 16);

/** Writes the hash of a text with a seed into `result`. */
export function hashText(text: string, seed: Hash, result: Hash): void {
  if (text.length * 3 > scratch.length) scratch = Buffer.alloc(text.length * 4);
  const length = writeText(text);
  let a = (0x9e3779b9 + length + 3923095) | 0;
  let b = a;
  let c = a;
  if (seed.high !== 0 || seed.low !== 0) {
    a = (a + seed.high) | 0;
    b = (b + seed.low) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  let at = 0;
  for (let left = length; left >= 12; left -= 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
  }
  const rest = length - at;
  // The rest is padded with zeros. The lowest byte of c is reserved for the length.
  scratch.fill(0, length, length + 12);
  a = (a + word(at)) | 0;
  if (rest > 4) b = (b + word(at + 4)) | 0;
  if (rest > 8) c = (c + (word(at + 8) << 8)) | 0;
  c ^= b;
  c = (c - rotate(b, 14)) | 0;
  a ^= c;
  a = (a - rotate(c, 11)) | 0;
  b ^= a;
  b = (b - rotate(a, 25)) | 0;
  c ^= b;
  c = (c - rotate(b, 16)) | 0;
  a ^= c;
  a = (a - rotate(c, 4)) | 0;
  b ^= a;
  b = (b - rotate(a, 14)) | 0;
  c ^= b;
  c = (c - rotate(b, 24)) | 0;
  result.high = b >>> 0;
  result.low = c >>> 0;
}

/** Returns a hash as PostgreSQL prints it: a signed integer of 64 bits. */
export function signedHash({ high, low }: Hash): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

/** Writes a text into the scratch buffer as UTF-8. Short ASCII is faster byte by byte. */
function writeText(text: string): number {
  if (text.length > 48) return scratch.write(text);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return scratch.write(text);
    scratch[index] = code;
  }
  return text.length;
}

function word(at: number): number {
  return (
    (scratch[at] as number) |
    ((scratch[at + 1] as number) << 8) |
    ((scratch[at + 2] as number) << 16) |
    ((scratch[at + 3] as number) << 24)
  );
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Sum of signed hashes, as PostgreSQL's sum(bigint). Doubles stay exact for a million additions. */
export class HashSum {
  #high = 0;
  #low = 0;
  #count = 0;
  #total = 0n;

  add({ high, low }: Hash): void {
    this.#high += high | 0;
    this.#low += low;
    if (++this.#count === 1_000_000) this.#carry();
  }

  /** The sum so far. */
  get total(): bigint {
    this.#carry();
    return this.#total;
  }

  #carry(): void {
    this.#total += (BigInt(this.#high) << 32n) + BigInt(this.#low);
    this.#high = 0;
    this.#low = 0;
    this.#count = 0;
  }
}
