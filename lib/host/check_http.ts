/**
 * The run of a check by HTTP: one GET over a connection of its own, and as much of the answer as it takes to judge it.
 *
 * Why not `fetch` or `node:http`: see lib/net/transport.ts. Why not its reader: that one reads whole answers, strictly,
 * from nodes. Here a stranger's answer counts by its status, however it goes on.
 *
 * @module
 */
import type { CheckTarget } from "../config/checks.ts";
import { formatAddress } from "../address.ts";
import type { Connector } from "../net/connect.ts";
import { close, writeAll } from "../net/connection.ts";
import { hasLine } from "../text.ts";
import type { Run } from "./check_verdict.ts";

/** Bytes of an answer that are read: a head as long as reverse proxies take, and a line. */
const ANSWER_BYTES_MAX = 16 * 1024;

/** Statuses of a process that does its work. */
const PASSING = /^[23]/;

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?:[ \r]|$)/;

/** Interim answers (100, 103), of which several may come before the one that counts. */
const INTERIM = /^(?:HTTP\/1\.[01] 1[0-9]{2}[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n)+/;

/** Settles when the answer can be judged; rejects if none comes, also when `signal` is aborted. */
export async function runHttp(
  { address, path }: Extract<CheckTarget, { kind: "http" }>,
  { signal, connector }: { readonly signal: AbortSignal; readonly connector: Connector },
): Promise<Run> {
  const conn = await connector.connect(address, { signal, opened: () => {} });
  const abort = () => close(conn);
  signal.addEventListener("abort", abort);
  try {
    const host = formatAddress(address.host, address.port);
    const request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: gossiper\r\n` +
      "accept: */*\r\nconnection: close\r\n\r\n";
    await writeAll(conn, new TextEncoder().encode(request));
    return judge(await readAnswer(conn));
  } finally {
    signal.removeEventListener("abort", abort);
    close(conn);
  }
}

/** Reads until the answer passes, its first line of words is there, or no more comes. A character stands for a byte. */
async function readAnswer(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(ANSWER_BYTES_MAX);
  let text = "";
  for (let length = 0; length < bytes.length;) {
    let count: number | null;
    try {
      count = await conn.read(bytes.subarray(length));
    } catch (error) {
      // The status is known: that the rest is slow or breaks off changes nothing.
      if (STATUS_LINE.test(text)) return text;
      throw error;
    }
    if (count === null) return text;
    length += count;
    text = String.fromCharCode(...bytes.subarray(0, length)).replace(INTERIM, "");
    const { status, body, isWhole } = partsOf(text);
    if (PASSING.test(status) || isWhole || hasLine(body)) return text;
    if (text.length >= 12 && status === "") return text;
  }
  return text;
}

function judge(answer: string): Run {
  const { status, body } = partsOf(answer);
  if (PASSING.test(status)) return { passed: true };
  if (status === "") {
    throw new Error(answer === "" ? "it closed the connection" : "it does not speak HTTP/1.1");
  }
  const words = new TextDecoder().decode(Uint8Array.from(body, (char) => char.charCodeAt(0)));
  const line = words.split("\n").find((line) => line.trim() !== "")?.trim();
  return { passed: false, words: line ? `http ${status}: ${line}` : `http ${status}` };
}

/** The status (empty where it cannot be read), and what came of the body. */
function partsOf(answer: string): { status: string; body: string; isWhole: boolean } {
  const status = STATUS_LINE.exec(answer)?.[1] ?? "";
  const [, head, body = ""] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(answer) ?? [];
  if (head === undefined) return { status, body: "", isWhole: false };
  if (/^transfer-encoding:[^\n]*\bchunked\b/im.test(head)) return { status, ...joined(body) };
  const bytes = /^content-length: *([0-9]+)/im.exec(head)?.[1];
  // A server may keep the connection although it is asked not to.
  return { status, body, isWhole: body.length >= Number(bytes ?? Infinity) };
}

/** A body that came in chunks: a process that writes piece by piece sends a line in several. */
function joined(chunks: string): { body: string; isWhole: boolean } {
  let body = "";
  for (let at = 0;;) {
    const [line, size] = /^(?:\r?\n)?([0-9a-fA-F]{1,8})[^\n]*\n/.exec(chunks.slice(at)) ?? [];
    if (line === undefined || size === undefined) return { body, isWhole: false };
    const [start, length] = [at + line.length, parseInt(size, 16)];
    if (length === 0) return { body, isWhole: true };
    at = start + length;
    body += chunks.slice(start, at);
  }
}
