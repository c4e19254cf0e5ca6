/**
 * Cluster keys: the format of a key file, and HMAC-SHA256 with its keys. The first key signs and any key verifies, so
 * a cluster can change its key while it runs: every node gets the new key behind the old one, then before it, then
 * alone.
 *
 * @module
 */

/** Characters of the shortest key: 16 random characters of base64 hold 96 bits, beyond guessing even offline. */
export const KEY_LENGTH_MIN = 16;

/** Characters of the longest key: HMAC gains nothing beyond 64 bytes. */
export const KEY_LENGTH_MAX = 512;

/** Keys at one time: a change of key needs two, and each key costs one more HMAC per forged request. */
export const KEYS_MAX = 8;

/** The text is not a usable list of keys; the message names the line, never the key. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}

/**
 * Reads one key per line, without the blanks around it; `#` begins a comment line. `source` names the text in errors.
 *
 * @throws {KeyError} if there is no key, or too many, or one is too short, too long, or not printable ASCII.
 */
export function parseKeys(text: string, source: string): string[] {
  const keys: string[] = [];
  text.split("\n").forEach((line, i) => {
    const key = line.trim();
    if (key === "" || key.startsWith("#")) return;
    const refuse = (why: string): never => {
      throw new KeyError(`Cannot use the key in ${source}, line ${i + 1}: ${why}`);
    };
    // A key that a person types travels in an HTTP header.
    if (!/^[\x21-\x7e]+$/.test(key)) refuse("give printable ASCII without blanks");
    if (key.length < KEY_LENGTH_MIN) refuse(`give at least ${KEY_LENGTH_MIN} characters`);
    if (key.length > KEY_LENGTH_MAX) refuse(`give at most ${KEY_LENGTH_MAX} characters`);
    if (keys.includes(key)) refuse("it repeats an earlier line; remove one of them");
    if (keys.length >= KEYS_MAX) refuse(`give at most ${KEYS_MAX} keys`);
    keys.push(key);
  });
  if (keys.length > 0) return keys;
  throw new KeyError(
    `Cannot use ${source}: it holds no key; give one per line, of ${KEY_LENGTH_MIN} or more ` +
      "random characters",
  );
}

const HMAC = { name: "HMAC", hash: "SHA-256" };
/** Base64 without characters that a URL or header would escape. */
const BASE64URL = { alphabet: "base64url" } as const;

/** A code as text: the 32 bytes of an HMAC in base64url, without padding. */
const CODE = /^[A-Za-z0-9_-]{43}$/;

const encoder = new TextEncoder();

/** The keys of a cluster. WebCrypto's `verify` does all comparing: it takes equally long for every wrong code. */
export class Keyring {
  /** Checks a key that a person typed without comparing texts, which would take longer the better the guess. */
  readonly #probe = importKey(crypto.getRandomValues(new Uint8Array(32)));
  #keys: Promise<readonly CryptoKey[]> = Promise.resolve([]);
  #codes: Promise<readonly ArrayBuffer[]> = Promise.resolve([]);

  constructor(keys: readonly string[]) {
    this.replace(keys);
  }

  /** Replaces all keys; signing and verifying under way finish with the old ones. */
  replace(keys: readonly string[]): void {
    this.#keys = Promise.all(keys.map((key) => importKey(encoder.encode(key))));
    this.#codes = this.#probe.then((probe) =>
      Promise.all(keys.map((key) => crypto.subtle.sign(HMAC, probe, encoder.encode(key))))
    );
  }

  /** The code of `text` under the first key: 43 characters of base64url. */
  async sign(text: string): Promise<string> {
    const [first] = await this.#keys;
    if (first === undefined) throw new Error("BUG: a keyring without keys");
    const code = new Uint8Array(await crypto.subtle.sign(HMAC, first, encoder.encode(text)));
    return code.toBase64({ ...BASE64URL, omitPadding: true });
  }

  /**
   * What the messages to hooks are signed with: derived from the first key, so that whoever verifies them needs no key
   * that lets nodes join. No exchange's text begins like this one.
   */
  async hookSecret(cluster: string): Promise<string> {
    return Uint8Array.fromBase64(await this.sign(`gossiper hook ${cluster}`), BASE64URL).toHex();
  }

  /** Whether `code` is that of `text` under any key. */
  async verify(text: string, code: string): Promise<boolean> {
    if (!CODE.test(code)) return false;
    const bytes = Uint8Array.fromBase64(code, BASE64URL);
    const data = encoder.encode(text);
    let found = false;
    for (const key of await this.#keys) {
      found = await crypto.subtle.verify(HMAC, key, bytes, data) || found;
    }
    return found;
  }

  /** Whether `text` is one of the keys. */
  async holds(text: string): Promise<boolean> {
    if (text.length > KEY_LENGTH_MAX) return false;
    const probe = await this.#probe;
    const data = encoder.encode(text);
    let found = false;
    for (const code of await this.#codes) {
      found = await crypto.subtle.verify(HMAC, probe, code, data) || found;
    }
    return found;
  }
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);
}
