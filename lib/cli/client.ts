/**
 * Requests to one node.
 *
 * @module
 */
import { withDeadline } from "../net/deadline.ts";
import { errorText } from "../text.ts";
import { firstLine, UnreadableError } from "./read.ts";

/** Bytes of an answer, and of an event: the table of 65,536 members and as many that are decommissioned. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Longest wait for an answer; a decommission is on the node's disk within 3 s or refused. */
const ANSWER_MS = 10_000;

/** Exit statuses of the commands; `quiet` is what a shell shows for a program whose reader has gone. */
export const EXIT = { fine: 0, not: 1, wrong: 2, nobody: 3, quiet: 141 } as const;

/** A command that cannot go on; the message says why in one line. */
export class CallError extends Error {
  override readonly name = "CallError";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export interface ClientOptions {
  /** The URL that paths are added to; it ends in a slash. */
  readonly base: string;
  readonly key: string | undefined;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly ca: string | undefined;
  readonly answerMs?: number;
}

/** An answer with its text. */
export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  /** Empty where the answer has none. */
  readonly etag: string;
}

/** How a stream of events says what it is; browsers take no other either. */
const EVENTS = /^text\/event-stream\b/i;

/** Statuses with which a node says that the call is wrong. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** How a node asks for its key; what follows are words for browsers and callers of HTTP. */
const KEY_WANTED = /^Give the cluster's key\b/;

/** Statuses of whoever leads elsewhere; a node does not. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Characters of the place it leads to that are shown: more than a node's URL has mostly. */
const TARGET_LENGTH_MAX = 200;

export class Client implements Disposable {
  readonly #options: ClientOptions;
  readonly #http: Deno.HttpClient | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { ca } = options;
    this.#http = ca === undefined ? undefined : Deno.createHttpClient({ caCerts: [ca] });
  }

  /** The node as people call it. */
  get name(): string {
    return this.#options.base.replace(/^http:\/\//, "").replace(/\/$/, "");
  }

  /**
   * An answer of 200, or of another status in `also`. A node names in it what it is `about`, a member or a hook:
   * another program says "ok", or a proxy "Bad Gateway", and whoever knows no such path says so.
   *
   * @throws {CallError} for any other, and where there is no answer.
   */
  async ask(
    path: string,
    { method = "GET", also = [] as number[], about = "", answerMs }: {
      method?: string;
      also?: number[];
      about?: string;
      answerMs?: number;
    } = {},
  ): Promise<TextAnswer> {
    const abort = new AbortController();
    const asking = async () => {
      const response = await this.#fetch(path, { method, signal: abort.signal });
      const { status } = response;
      const isWanted = status === 200 || also.includes(status);
      if (!isWanted || isWebPage(response)) throw await this.#refusal(response);
      const text = await this.#textOf(response);
      if (!text.includes(about)) {
        const how = status === 200 ? "it answers something else" : `status ${status}`;
        throw this.#nobody(`${how}: ${firstLine(text)}`);
      }
      return { status, text, etag: response.headers.get("etag") ?? "" };
    };
    return await this.#inTime(asking(), abort, answerMs);
  }

  /** The stream of events after `lastId`, which lasts until `signal` is aborted. */
  async stream(lastId: string, abort: AbortController): Promise<ReadableStream<Uint8Array>> {
    const headers = { "accept": "text/event-stream", ...(lastId && { "last-event-id": lastId }) };
    const asking = async () => {
      const response = await this.#fetch("events", { headers, signal: abort.signal });
      const { status, body } = response;
      if (status === 200 && body !== null && EVENTS.test(typeOf(response))) return body;
      throw await this.#refusal(response);
    };
    return await this.#inTime(asking(), abort);
  }

  /** Why nothing can be done with an answer; it is read to its end, as far as it says why. */
  async #refusal(response: Response): Promise<CallError> {
    const { status } = response;
    const isPage = isWebPage(response);
    if (status === 200) {
      await response.body?.cancel();
      return this.#nobody(`it answers something else: ${isPage ? "a web page" : "no events"}`);
    }
    const text = firstLine(await this.#textOf(response));
    const target = response.headers.get("location") ?? "";
    if (REDIRECTS.has(status) && target !== "") {
      const to = firstLine(target.slice(0, TARGET_LENGTH_MAX));
      return this.#nobody(`status ${status}: it leads to ${to}`);
    }
    const words = isPage || text === "" ? `status ${status}` : this.#inWordsOfFlags(text);
    if (REFUSALS.has(status)) return new CallError(EXIT.wrong, `${this.name}: ${words}`);
    return this.#nobody(words === text ? `status ${status}: ${text}` : words);
  }

  #inWordsOfFlags(text: string): string {
    if (!KEY_WANTED.test(text)) return text;
    const given = this.#options.key !== undefined;
    return given ? "that is not the cluster's key" : "Give the cluster's key by -key-file";
  }

  /** The error to report for one of reading an answer; others are mistakes of this program. */
  explain(error: unknown): unknown {
    if (!(error instanceof UnreadableError)) return error;
    return this.#nobody(`it answers something else: ${error.message}`);
  }

  [Symbol.dispose](): void {
    this.#http?.close();
  }

  /** Waits for an answer, and aborts the request where none comes in time. */
  async #inTime<T>(
    asking: Promise<T>,
    abort: AbortController,
    answerMs = this.#options.answerMs ?? ANSWER_MS,
  ): Promise<T> {
    return await withDeadline(asking, answerMs, () => {
      abort.abort();
      throw this.#nobody(`nothing within ${answerMs / 1000} s`);
    });
  }

  #nobody(why: string): CallError {
    return new CallError(EXIT.nobody, `no answer from ${this.name}: ${why}`);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { base, key } = this.#options;
    const headers = new Headers(init.headers);
    headers.set("user-agent", "gossiper");
    if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
    try {
      // The key is for this node, and for no other that it leads to.
      const options = { ...init, headers, redirect: "manual", client: this.#http } as const;
      return await fetch(base + path, options as RequestInit);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw this.#nobody(shortened(error));
    }
  }

  async #textOf(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    try {
      for await (const piece of response.body ?? []) {
        bytes += piece.length;
        if (bytes > ANSWER_BYTES_MAX) break;
        text += decoder.decode(piece, { stream: true });
      }
    } catch (error) {
      throw this.#nobody(shortened(error));
    }
    if (bytes <= ANSWER_BYTES_MAX) return text + decoder.decode();
    throw this.#nobody(`it answers more than ${ANSWER_BYTES_MAX} bytes`);
  }
}

function typeOf({ headers }: Response): string {
  return headers.get("content-type") ?? "";
}

/** Whether it is a proxy's own page, or that of another program: a node answers no command with one. */
function isWebPage(response: Response): boolean {
  return /^text\/html\b/i.test(typeOf(response));
}

/** What went wrong, without the steps that led there. */
function shortened(error: unknown): string {
  // The cause, where Deno says no more than that a fetch failed.
  const message = errorText(error instanceof Error && error.cause || error);
  if (/connection refused/i.test(message)) return "connection refused";
  if (/dns error/.test(message)) return "there is no host of this name";
  if (/corrupt message/.test(message)) return "it does not speak TLS: give http://";
  if (/invalid HTTP version/.test(message)) {
    return "it does not speak HTTP, but TLS maybe: give https://";
  }
  return firstLine(message.replace(/^.*client error \([A-Za-z]+\): /s, ""));
}
