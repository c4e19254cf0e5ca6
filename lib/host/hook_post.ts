/**
 * The POST of a message to a hook's URL: signed where the cluster has a key, and judged by the status of the answer.
 *
 *     gossiper-signature: t=1764172991,v1=<hex>     HMAC-SHA-256 over "1764172991.", and the body
 *
 * Its key is derived from the cluster's, so whoever verifies needs no key that lets nodes join.
 *
 * @module
 */
import { errorText, hasLine } from "../text.ts";
import type { HookRun } from "./hook_words.ts";

/** Bytes of an answer that are read: its first line says why, where it is no 2xx. */
const ANSWER_BYTES_MAX = 4_096;

/** Characters of that line. */
const LINE_LENGTH_MAX = 120;

const HMAC = { name: "HMAC", hash: "SHA-256" };

export interface PostOptions {
  /** Ends the call once aborted. */
  readonly signal: AbortSignal;
  /** The same for one message, however often it is sent. */
  readonly key: string;
  /** The key to sign with, as text; undefined: not signed. */
  readonly secret: string | undefined;
  readonly wallMs: number;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly authorities: readonly string[];
}

/** POSTs the body. Rejects where nothing answers. */
export async function post(url: string, body: string, options: PostOptions): Promise<HookRun> {
  const { signal, key, secret, wallMs, authorities } = options;
  const headers = new Headers({
    "content-type": "application/json",
    "idempotency-key": key,
    "user-agent": "gossiper",
  });
  if (secret !== undefined) {
    headers.set("gossiper-signature", await signatureOf(body, secret, Math.floor(wallMs / 1000)));
  }
  // One for each call, so that it knows the certificates of now and leaves no connection behind.
  using client = Deno.createHttpClient({ caCerts: [...authorities] });
  const init = { method: "POST", headers, body, signal, redirect: "manual", client } as const;
  try {
    const response = await fetch(url, init as RequestInit);
    const line = response.ok ? "" : await firstLine(response);
    await response.body?.cancel().catch(() => {});
    return { done: response.ok, words: `${response.status}${line && `: ${line}`}`, lines: [] };
  } catch (error) {
    throw new Error(shortOf(error));
  }
}

/** The value of the header. */
async function signatureOf(body: string, secret: string, atS: number): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", bytes(secret), HMAC, false, ["sign"]);
  const code = new Uint8Array(await crypto.subtle.sign(HMAC, key, bytes(`${atS}.${body}`)));
  return `t=${atS},v1=${code.toHex()}`;
}

/** The first line of a short answer; nothing where it breaks off. */
async function firstLine(response: Response): Promise<string> {
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  try {
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      text += decoder.decode(piece.subarray(0, ANSWER_BYTES_MAX), { stream: true });
      if (bytes >= ANSWER_BYTES_MAX || hasLine(text)) break;
    }
  } catch {
    // The status says enough.
  }
  return text.trim().split("\n")[0]!.slice(0, LINE_LENGTH_MAX);
}

/** What went wrong, without the URL, which may be a secret. */
function shortOf(error: unknown): string {
  const message = errorText(error instanceof Error && error.cause || error);
  if (/connection refused/i.test(message)) return "connection refused";
  if (/dns error/.test(message)) return "there is no host of this name";
  if (/certificate/.test(message)) return "its certificate is not trusted";
  return message.replace(/^.*client error \([A-Za-z]+\):? ?/s, "").replace(/https?:\S+/g, "URL")
    .slice(0, LINE_LENGTH_MAX);
}
