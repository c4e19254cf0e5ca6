/**
 * Cluster keys: what a key file may hold, and HMAC-SHA256 with it. The first key signs, any verifies, so that a cluster
 * changes its key without a stop: every node gets the new key behind the old one, then before it, then alone.
 *
 * @module
 */

/** Letters of the shortest key: 16 random letters of base64 are 96 bits, beyond guessing even offline. */
export const KEY_LENGTH_MIN = 16;

/** Letters of the longest key: HMAC gains nothing beyond 64 bytes. */
export const KEY_LENGTH_MAX = 512;

/** Keys at one time: a change of key needs two; each one more is one more HMAC for every forged request. */
export const KEYS_MAX = 8;

/** A text that cannot be used as a list of keys; the message names the line, and never the key. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}

/**
 * Reads one key a line, without the blanks around it; `#` begins a comment line. `source` names the text in errors.
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
    // HTTP headers carry a key when people type it.
    if (!/^[\x21-\x7e]+$/.test(key)) refuse("give printable ASCII without blanks");
    if (key.length < KEY_LENGTH_MIN) refuse(`give at least ${KEY_LENGTH_MIN} characters`);
    if (key.length > KEY_LENGTH_MAX) refuse(`give at most ${KEY_LENGTH_MAX} characters`);
    if (keys.includes(key)) refuse("it stands there twice");
    if (keys.length >= KEYS_MAX) refuse(`give at most ${KEYS_MAX} keys`);
    keys.push(key);
  });
  if (keys.length > 0) return keys;
  throw new KeyError(
    `Cannot use ${source}: it holds no key; give one of ${KEY_LENGTH_MIN} or more ` +
      "random characters a line",
  );
}

const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();

/** The keys of a cluster. All comparing is left to WebCrypto's `verify`, which takes as long for any wrong code. */
export class Keyring {
  /** Tells which key an outsider typed without comparing texts: codes under it are compared instead. */
  readonly #probe = importKey(crypto.getRandomValues(new Uint8Array(32)));
  #keys: Promise<readonly CryptoKey[]> = Promise.resolve([]);
  #codes: Promise<readonly ArrayBuffer[]> = Promise.resolve([]);

  constructor(keys: readonly string[]) {
    this.replace(keys);
  }

  /** Replaces all keys; what is being signed or verified ends with the old ones. */
  replace(keys: readonly string[]): void {
    this.#keys = Promise.all(keys.map((key) => importKey(encoder.encode(key))));
    this.#codes = this.#probe.then((probe) =>
      Promise.all(keys.map((key) => crypto.subtle.sign(HMAC, probe, encoder.encode(key))))
    );
  }

  /** The code of `text` under the first key: 43 letters of base64url. */
  async sign(text: string): Promise<string> {
    const [first] = await this.#keys;
    if (first === undefined) throw new Error("BUG: a keyring without keys");
    return toBase64Url(new Uint8Array(await crypto.subtle.sign(HMAC, first, encoder.encode(text))));
  }

  /** Whether `code` is that of `text` under any key. */
  async verify(text: string, code: string): Promise<boolean> {
    const bytes = fromBase64Url(code);
    if (bytes === undefined) return false;
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

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The 32 bytes of a code; undefined if it is none. */
function fromBase64Url(code: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(code)) return undefined;
  const binary = atob(`${code.replaceAll("-", "+").replaceAll("_", "/")}=`);
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
