/**
 * The files that hold keys and certificates: read at the start, then every few seconds and on SIGHUP, and compared.
 *
 * Rejected: watching them for events, which are lost when an editor or Kubernetes replaces the watched file.
 *
 * @module
 */
import type { TlsFiles } from "../config/security.ts";
import type { Log } from "../log.ts";
import { withDeadline } from "../net/deadline.ts";
import { KeyError, Keyring, parseKeys } from "../net/keys.ts";
import { Signer } from "../net/signer.ts";
import { errorText } from "../text.ts";
import { expiryOf, expiryWarning } from "./expiry.ts";
import { asCredentialsError, CredentialsError, filesOf, useful } from "./credential_files.ts";
import { readText, readTextSync } from "./files.ts";

/** Time between two reads of the files, a few kilobytes each. */
const READ_EVERY_MS = 2_000;

/** A read that takes longer is reported: the disk hangs. */
const READ_MS = 5_000;

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
  /** Time after which a read is reported as hanging, in ms; tests set it. */
  readonly readMs?: number;
  /** Reads a file of bounded length; tests put a hanging disk in its place. */
  readonly read?: (path: string, bytesMax: number) => Promise<string>;
}

/** What the files hold. */
interface Texts {
  readonly keys: string | undefined;
  readonly tls: TlsTexts | undefined;
}

export class Credentials {
  /** Undefined in a cluster without a key. */
  readonly keys: { readonly keyring: Keyring; readonly signer: Signer } | undefined;
  readonly #options: CredentialsOptions;
  #onTls: (tls: TlsTexts) => Promise<void> = () => Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #texts: Texts;
  #underWay: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** When the own certificate expires; undefined if that is not known. */
  #expiresMs: number | undefined;
  #troubled = "";
  #warned: string | undefined;

  /** @throws {CredentialsError} if a file cannot be read or used. */
  constructor(options: CredentialsOptions) {
    this.#options = options;
    const { cluster, wallMs, keyFile, keyText, tls } = options;
    const found = new Map<string, string>();
    for (const file of filesOf(keyFile, tls)) {
      try {
        found.set(file.path, useful(file.path, readTextSync(file.path, file.bytesMax), tls));
      } catch (error) {
        throw asCredentialsError(file, error);
      }
    }
    const keys = keyFile === undefined ? keyText : found.get(keyFile);
    this.#texts = { keys, tls: this.#tlsOf(found) };
    // An empty file is a mistake, and no wish for a cluster without a key.
    if (keys !== undefined) {
      const keyring = new Keyring(this.#parse(keys));
      this.keys = { keyring, signer: new Signer({ keyring, cluster, wallMs }) };
    }
  }

  /** Begins to read the files every few seconds. `onTls` takes new certificates; if it fails, the former ones stay. */
  watch(onTls: (tls: TlsTexts) => Promise<void>): void {
    const { keyFile, tls } = this.#options;
    this.#onTls = onTls;
    void this.#checkExpiry();
    if (keyFile === undefined && tls === undefined) return;
    this.#timer = setInterval(() => void this.reload(), READ_EVERY_MS);
  }

  get tls(): TlsTexts | undefined {
    return this.#texts.tls;
  }

  /** The authorities to trust besides the usual ones, in PEM. */
  get authorities(): string[] {
    const { tls } = this.#texts;
    return tls?.ca === undefined ? [] : [tls.ca];
  }

  /** Says in one line that this node's certificate has expired or soon will; undefined if neither. */
  get warning(): string | undefined {
    const { tls, wallMs } = this.#options;
    if (tls === undefined || this.#expiresMs === undefined) return undefined;
    return expiryWarning(tls.cert, this.#expiresMs, wallMs());
  }

  /**
   * Reads the files again, and resolves when that is done. A file that cannot be used is logged, and the former
   * contents stay in use. Never rejects; on a disk that hangs it never resolves, and no further read begins.
   */
  reload(): Promise<void> {
    // The read under way may have passed a file before it changed, so wait for the next one, shared by all callers.
    this.#next ??= this.#underWay.then(() => {
      this.#underWay = this.#next!;
      this.#next = undefined;
      return this.#reload();
    });
    return this.#next;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #reload(): Promise<void> {
    const { readMs = READ_MS } = this.#options;
    const troubles: string[] = [];
    const reading = this.#read(troubles);
    const found = await withDeadline(reading, readMs, () => {
      this.#trouble("Cannot read the files of keys and certificates: the disk does not answer");
      return reading;
    });
    // What cannot be used keeps nothing else from it: a certificate is renewed beside a broken file of keys.
    try {
      this.#useKeys(found);
    } catch (error) {
      troubles.push(errorText(error));
    }
    await this.#useTls(found).catch((error) => troubles.push(errorText(error)));
    this.#trouble(troubles.join("; "));
    await this.#checkExpiry();
  }

  #useKeys(found: ReadonlyMap<string, string>): void {
    const { keyFile = "", log } = this.#options;
    const keys = found.get(keyFile);
    if (keys === undefined || keys === this.#texts.keys) return;
    this.keys?.keyring.replace(this.#parse(keys));
    this.#texts = { ...this.#texts, keys };
    log.notice("info", `the keys in ${keyFile} changed: they are in use`);
  }

  async #useTls(found: ReadonlyMap<string, string>): Promise<void> {
    const former = this.#texts.tls;
    if (former === undefined) return;
    const tls = this.#tlsOf(found, former)!;
    if (isSame(tls, former)) return;
    // Those who are trusted do not depend on this node's own certificate.
    this.#texts = { ...this.#texts, tls: { ...former, ca: tls.ca } };
    await this.#onTls(tls);
    this.#texts = { ...this.#texts, tls };
    this.#expiresMs = undefined;
    this.#options.log.notice("info", "the certificate changed: new connections get it");
  }

  /** Logs a warning of the certificate's expiry when it changes: once a day at most. */
  async #checkExpiry(): Promise<void> {
    const { tls } = this.#texts;
    if (tls === undefined) return;
    this.#expiresMs ??= await expiryOf(tls.cert);
    const { warning } = this;
    if (warning !== undefined && warning !== this.#warned) {
      this.#options.log.notice("warn", warning);
    }
    this.#warned = warning;
  }

  #trouble(why: string): void {
    const { log } = this.#options;
    const isNew = why !== "" && why !== this.#troubled;
    if (isNew) log.notice("error", `${why}; the former stays in use`);
    const isOver = why === "" && this.#troubled !== "";
    if (isOver) log.notice("info", "the files of keys and certificates can be used again");
    this.#troubled = why;
  }

  /** Reads one file after the other, so that a disk that hangs holds one of the runtime's threads at most. */
  async #read(troubles: string[]): Promise<Map<string, string>> {
    const { read = readText, keyFile, tls } = this.#options;
    const found = new Map<string, string>();
    for (const file of filesOf(keyFile, tls)) {
      try {
        found.set(file.path, useful(file.path, await read(file.path, file.bytesMax), tls));
      } catch (error) {
        troubles.push(asCredentialsError(file, error).message);
      }
    }
    return found;
  }

  #tlsOf(found: ReadonlyMap<string, string>, former?: TlsTexts): TlsTexts | undefined {
    const { tls } = this.#options;
    return tls && {
      cert: found.get(tls.cert) ?? former?.cert ?? "",
      key: found.get(tls.key) ?? former?.key ?? "",
      ca: found.get(tls.ca ?? "") ?? former?.ca,
    };
  }

  #parse(text: string): string[] {
    try {
      return parseKeys(text, this.#options.keyFile ?? "GOSSIPER_KEY");
    } catch (error) {
      throw error instanceof KeyError ? new CredentialsError(error.message) : error;
    }
  }
}

function isSame(a: TlsTexts, b: TlsTexts): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
