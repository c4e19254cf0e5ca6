/**
 * Reads HTTP/1.1 requests from a stream of bytes, strictly and in bounded memory. (pure)
 *
 * The caller is hostile: the head must fit in one buffer, the body comes in parts and is never kept here, and what could be
 * read in two ways is refused, as that is how one request is smuggled inside another.
 *
 * @module
 */
import type { ByteSource } from "./http_answer.ts";

/** Bytes of a request's head, and the read buffer: a browser's with its cookies has about 2 KiB. */
export const REQUEST_HEAD_BYTES_MAX = 8_192;

/** Bytes of a chunk's size line: its size, and extensions that nobody uses. */
const CHUNK_LINE_BYTES_MAX = 256;

/** A request that is answered with `status`, and then nothing more is read from its connection. */
export class RequestError extends Error {
  override readonly name = "RequestError";

  constructor(readonly status: 400 | 408 | 411 | 413 | 431 | 501 | 503, message: string) {
    super(message);
  }
}

export interface RequestHead {
  readonly method: string;
  /** Path and query, as they came; printable ASCII from a slash on. */
  readonly target: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** HTTP/1.1, in which connections stay open unless told otherwise. */
  readonly keepAlive: boolean;
  /** HTTP/1.0 callers know no chunks. */
  readonly chunks: boolean;
  /** The caller waits to be told to send the body. */
  readonly expectsContinue: boolean;
  readonly hasBody: boolean;
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const latin1 = new TextDecoder("latin1");
const CR = 13;
const LF = 10;

/** Reads the requests that come one after another on one connection. */
export class RequestReader {
  readonly #source: ByteSource;
  readonly #buffer = new Uint8Array(REQUEST_HEAD_BYTES_MAX);
  #start = 0;
  #end = 0;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;
  #chunked = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads a head; `undefined` if the caller ends the connection before one begins. `onBegin`: its first bytes are here. */
  async head(onBegin: () => void): Promise<RequestHead | undefined> {
    for (let begun = false;;) {
      if (!begun && this.#start < this.#end) {
        begun = true;
        onBegin();
      }
      // Some callers send an empty line after a body.
      while (this.#start < this.#end && isLineEnd(this.#buffer[this.#start]!)) this.#start++;
      const end = this.#find("\r\n\r\n");
      if (end >= 0) return this.#parse(this.#take(end, 4));
      if (!await this.#fill()) {
        if (this.#start === this.#end) return undefined;
        throw new RequestError(400, "The request ends before its head does");
      }
    }
  }

  /** The next part of the body, good until the next read; `undefined` at its end. */
  async part(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#left === 0 && this.#chunked) await this.#nextChunk();
    if (this.#left === 0) return undefined;
    if (this.#start === this.#end && !await this.#fill()) {
      throw new RequestError(400, "The request ends before its body does");
    }
    const part = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + this.#left));
    this.#start += part.length;
    this.#left -= part.length;
    if (this.#left === 0 && this.#chunked && await this.#line() !== "") throw badChunk();
    return part;
  }

  /** Whether the whole body was read. */
  get bodyDone(): boolean {
    return this.#left === 0 && !this.#chunked;
  }

  async #nextChunk(): Promise<void> {
    const [, size] = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/.exec(await this.#line()) ?? [];
    if (size === undefined) throw badChunk();
    this.#left = Number.parseInt(size, 16);
    if (this.#left > 0) return;
    // Trailers mean nothing here, and are bounded by the head's limit.
    let bytes = 0;
    for (let line = await this.#line(); line !== ""; line = await this.#line()) {
      bytes += line.length;
      if (bytes > REQUEST_HEAD_BYTES_MAX) throw badChunk();
    }
    this.#chunked = false;
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#find("\r\n");
      if (end >= 0) return this.#take(end, 2);
      if (this.#end - this.#start > CHUNK_LINE_BYTES_MAX) throw badChunk();
      if (!await this.#fill()) throw new RequestError(400, "The request ends before its body does");
    }
  }

  #find(mark: "\r\n" | "\r\n\r\n"): number {
    const buffer = this.#buffer;
    for (let at = this.#start; at + mark.length <= this.#end; at++) {
      if (buffer[at] !== CR || buffer[at + 1] !== LF) continue;
      if (mark.length === 2 || (buffer[at + 2] === CR && buffer[at + 3] === LF)) return at;
    }
    return -1;
  }

  #take(end: number, markLength: number): string {
    const text = latin1.decode(this.#buffer.subarray(this.#start, end));
    this.#start = end + markLength;
    return text;
  }

  async #fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#buffer.length) {
      throw new RequestError(431, `The request's head is over ${REQUEST_HEAD_BYTES_MAX} bytes`);
    }
    const count = await this.#source.read(this.#buffer.subarray(this.#end));
    this.#end += count ?? 0;
    return count !== null;
  }

  #parse(text: string): RequestHead {
    const [line = "", ...lines] = text.split("\r\n");
    const [, method, target, minor] =
      /^([A-Za-z]{1,16}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/.exec(line) ?? [];
    if (method === undefined || target === undefined) {
      throw bad("its first line is not one of HTTP/1.1");
    }
    const fields = lines.map((line) => {
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      if (!FIELD_NAME.test(name) || /[\0\r\n]/.test(line)) throw bad("a header is malformed");
      return [name, line.slice(colon + 1).trim()] as const;
    });
    const only = (wanted: string) => {
      const found = fields.filter(([name]) => name === wanted);
      if (found.length > 1) throw bad(`'${wanted}' comes more than once`);
      return found[0]?.[1];
    };
    if (only("host") === undefined && minor === "1") throw bad("it names no host");
    const length = only("content-length");
    const coding = only("transfer-encoding");
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      throw new RequestError(501, "Cannot read this transfer coding: send chunked, or a length");
    }
    if (coding !== undefined && (length !== undefined || minor === "0")) {
      throw bad("its length is unclear");
    }
    if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) throw bad("its length is no number");
    this.#left = Number(length ?? 0);
    this.#chunked = coding !== undefined;
    return {
      method,
      target,
      fields,
      keepAlive: minor === "1" && !/\bclose\b/i.test(only("connection") ?? ""),
      chunks: minor === "1",
      expectsContinue: minor === "1" && /^100-continue$/i.test(only("expect") ?? ""),
      hasBody: !this.bodyDone,
    };
  }
}

function isLineEnd(byte: number): boolean {
  return byte === CR || byte === LF;
}

function bad(why: string): RequestError {
  return new RequestError(400, `Cannot read this request: ${why}`);
}

function badChunk(): RequestError {
  return bad("its body's chunks are malformed");
}
