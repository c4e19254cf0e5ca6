/**
 * The files that hold keys and certificates: read at the start, then every few seconds and on SIGHUP, and compared.
 *
 * Rejected: watching them for events, which are lost when an editor or Kubernetes replaces the watched file.
 *
 * @module
 */
import type { TlsFiles } from "../config/security.ts";
import { KeyError, Keyring, parseKeys } from "../net/keys.ts";
import type { Log } from "../log.ts";
import { Signer } from "../net/signer.ts";

/** Time between two reads of the files, a few kilobytes each. */
const LOOK_EVERY_MS = 2_000;

/** Longest file of keys: eight keys of the greatest length, and as many bytes of comments. */
const KEY_FILE_BYTES_MAX = 65_536;

/** Longest PEM file: four times a bundle of all public authorities. */
const PEM_BYTES_MAX = 1_048_576;

/** A file that cannot be read or used; the message says in one line which and why. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

/** The texts of the files in PEM. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
  /** Certificates of authorities to trust besides the usual ones. */
  readonly ca: string | undefined;
}

export interface CredentialsOptions {
  /** The file with the cluster's keys. */
  readonly keyFile: string | undefined;
  /** The text of such a file, where the environment gives it. */
  readonly keyText: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly cluster: string;
  readonly log: Log;
  readonly wallMs: () => number;
  /** Time between two reads, in ms; tests set it. */
  readonly lookEveryMs?: number;
}

export class Credentials {
  /** Undefined in a cluster without a key. */
  readonly keys: { readonly keyring: Keyring; readonly signer: Signer } | undefined;
  /** Called with new certificates; if it throws, the former ones stay in use. */
  onTls: (tls: TlsTexts) => void = () => {};
  readonly #options: CredentialsOptions;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #keyText: string;
  #tls: TlsTexts | undefined;
  #troubled = "";

  /** @throws {CredentialsError} if a file cannot be read or used. */
  constructor(options: CredentialsOptions) {
    this.#options = options;
    const { keyFile, tls, cluster, wallMs, lookEveryMs = LOOK_EVERY_MS } = options;
    this.#keyText = this.#readKeys() ?? "";
    this.#tls = this.#readTls();
    if (this.#keyText !== "") {
      const keyring = new Keyring(this.#parse(this.#keyText));
      this.keys = { keyring, signer: new Signer({ keyring, cluster, wallMs }) };
    }
    if (keyFile === undefined && tls === undefined) return;
    this.#timer = setInterval(() => this.reload(), lookEveryMs);
  }

  get tls(): TlsTexts | undefined {
    return this.#tls;
  }

  /** The authorities to trust besides the usual ones, in PEM. */
  get authorities(): string[] {
    return this.#tls?.ca === undefined ? [] : [this.#tls.ca];
  }

  /** Reads the files again. A file that cannot be used is logged, and the former contents stay in use. */
  reload(): void {
    try {
      const text = this.#readKeys();
      if (text !== undefined && text !== this.#keyText) {
        this.keys?.keyring.replace(this.#parse(text));
        this.#keyText = text;
        this.#options.log.notice(
          "info",
          `the keys in ${this.#options.keyFile} changed: they are in use`,
        );
      }
      const tls = this.#readTls();
      if (tls !== undefined && !isSame(tls, this.#tls!)) {
        this.onTls(tls);
        this.#tls = tls;
        this.#options.log.notice("info", "the certificate changed: new connections get it");
      }
      this.#troubled = "";
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#troubled) {
        this.#options.log.notice("error", `${why}; the former stays in use`);
      }
      this.#troubled = why;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #readKeys(): string | undefined {
    const { keyFile, keyText } = this.#options;
    return keyFile === undefined ? keyText : readText(keyFile, KEY_FILE_BYTES_MAX);
  }

  #parse(text: string): string[] {
    try {
      return parseKeys(text, this.#options.keyFile ?? "GOSSIPER_KEY");
    } catch (error) {
      throw error instanceof KeyError ? new CredentialsError(error.message) : error;
    }
  }

  #readTls(): TlsTexts | undefined {
    const { tls } = this.#options;
    return tls && {
      cert: readText(tls.cert, PEM_BYTES_MAX),
      key: readText(tls.key, PEM_BYTES_MAX),
      ca: tls.ca === undefined ? undefined : readText(tls.ca, PEM_BYTES_MAX),
    };
  }
}

function isSame(a: TlsTexts, b: TlsTexts): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}

/** Reads a file up to a bound: the path may be that of a device without end. */
function readText(path: string, bytesMax: number): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(bytesMax + 1);
    let length = 0;
    for (;;) {
      const count = file.readSync(bytes.subarray(length));
      if (count === null || count === 0) break;
      length += count;
    }
    if (length <= bytesMax) return new TextDecoder().decode(bytes.subarray(0, length));
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
    throw new CredentialsError(`Cannot read ${path}: ${why}`);
  }
  throw new CredentialsError(`Cannot use ${path}: it is longer than ${bytesMax} bytes`);
}
