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

/** Writes the hash of a text with a seed into `result`. */
export function hashText(text: string, seed: Hash, result: Hash): void {
  // The bytes of ASCII are its characters. Other texts get one character for each byte of their UTF-8.
  if (!hashBytes(text, 127, seed, result)) hashBytes(Buffer.from(text).toString("latin1"), 255, seed, result);
}

/**
 * Hashes a text whose characters are bytes. They become words in registers: writing them to memory and reading them as
 * words takes twice as long.
 *
 * @returns false if the text has a character above `most`. Then the result is no hash
 */
function hashBytes(text: string, most: number, seed: Hash, result: Hash): boolean {
  const { length } = text;
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
  let all = 0;
  let at = 0;
  for (; length - at >= 12; at += 12) {
    const a0 = text.charCodeAt(at);
    const a1 = text.charCodeAt(at + 1);
    const a2 = text.charCodeAt(at + 2);
    const a3 = text.charCodeAt(at + 3);
    const b0 = text.charCodeAt(at + 4);
    const b1 = text.charCodeAt(at + 5);
    const b2 = text.charCodeAt(at + 6);
    const b3 = text.charCodeAt(at + 7);
    const c0 = text.charCodeAt(at + 8);
    const c1 = text.charCodeAt(at + 9);
    const c2 = text.charCodeAt(at + 10);
    const c3 = text.charCodeAt(at + 11);
    all |= a0 | a1 | a2 | a3 | b0 | b1 | b2 | b3 | c0 | c1 | c2 | c3;
    a = (a + (a0 | (a1 << 8) | (a2 << 16) | (a3 << 24))) | 0;
    b = (b + (b0 | (b1 << 8) | (b2 << 16) | (b3 << 24))) | 0;
    c = (c + (c0 | (c1 << 8) | (c2 << 16) | (c3 << 24))) | 0;
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
  let [first, second, third] = [0, 0, 0];
  for (let rest = at; rest < length; rest++) {
    const code = text.charCodeAt(rest);
    all |= code;
    const shifted = code << (((rest - at) & 3) * 8);
    if (rest - at < 4) first |= shifted;
    else if (rest - at < 8) second |= shifted;
    else third |= shifted;
  }
  if (all > most) return false;
  a = (a + first) | 0;
  b = (b + second) | 0;
  // The lowest byte of c is reserved for the length.
  c = (c + (third << 8)) | 0;
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
  return true;
}

const halves = new Uint32Array(2);
const whole = new BigInt64Array(halves.buffer);

/** Returns a hash as PostgreSQL prints it: a signed integer of 64 bits. */
export function signedHash({ high, low }: Hash): bigint {
  halves[0] = low;
  halves[1] = high;
  return whole[0] as bigint;
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
