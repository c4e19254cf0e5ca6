/**
 * A DNS server on the loopback that knows a handful of names: as much of RFC 1035 as a lookup of A, AAAA and SRV needs.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** What a name stands for. */
export interface Records {
  A?: readonly string[];
  AAAA?: readonly string[];
  SRV?: readonly { readonly target: string; readonly port: number }[];
}

const TYPES: Readonly<Record<number, keyof Records>> = { 1: "A", 28: "AAAA", 33: "SRV" };
const NO_SUCH_NAME = 3;

export class NameServer implements AsyncDisposable {
  /** By name; a test changes it as hosts come and go. */
  readonly names = new Map<string, Records>();
  /** The names asked for, whether answered or not. */
  readonly asked = new Set<string>();
  /** Answers nothing, as in an outage. */
  mute = false;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (query, from) => {
      this.asked.add(readName(query).name);
      if (!this.mute) socket.send(this.#answer(query), from.port, from.address);
    });
  }

  /** Only a namespace of one's own has the system's port, 53, free. */
  static async start(port = 0): Promise<NameServer> {
    const socket = createSocket("udp4");
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    return new NameServer(socket);
  }

  /** `Deno.resolveDns`, asking this server. */
  readonly resolver = ((name: string, type: "A", options: { signal: AbortSignal }) => {
    const nameServer = { ipAddr: "127.0.0.1", port: this.#socket.address().port };
    return Deno.resolveDns(`${name}.`, type, { ...options, nameServer });
  }) as typeof Deno.resolveDns;

  #answer(query: Uint8Array): Uint8Array {
    const { name, end } = readName(query);
    const type = TYPES[(query[end]! << 8) | query[end + 1]!];
    const records = this.names.get(name);
    const data = ((type && records?.[type]) ?? []).map((record) => encodeRecord(record));
    const answers = data.flatMap((rdata) => [
      ...[0xc0, 12, query[end]!, query[end + 1]!, 0, 1, 0, 0, 0, 0],
      ...[rdata.length >> 8, rdata.length & 255, ...rdata],
    ]);
    const code = records === undefined ? NO_SUCH_NAME : 0;
    const head = [query[0]!, query[1]!, 0x85, 0x80 | code, 0, 1, 0, data.length, 0, 0, 0, 0];
    return new Uint8Array([...head, ...query.subarray(12, end + 4), ...answers]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }
}

function readName(query: Uint8Array): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at++]!; length > 0; length = query[at++]!) {
    labels.push(new TextDecoder().decode(query.subarray(at, at + length)));
    at += length;
  }
  return { name: labels.join(".").toLowerCase(), end: at };
}

function encodeRecord(record: string | { target: string; port: number }): number[] {
  if (typeof record !== "string") {
    const labels = record.target.split(".").flatMap((label) => [
      label.length,
      ...new TextEncoder().encode(label),
    ]);
    return [0, 0, 0, 0, record.port >> 8, record.port & 255, ...labels, 0];
  }
  if (!record.includes(":")) return record.split(".").map(Number);
  // Only what the tests use: two groups around a "::".
  const [left = "", right = ""] = record.split("::");
  const bytes = (text: string) =>
    text.split(":").filter((group) => group !== "").flatMap((group) => {
      const word = parseInt(group, 16);
      return [word >> 8, word & 255];
    });
  const [start, end] = [bytes(left), bytes(right)];
  return [...start, ...new Array<number>(16 - start.length - end.length).fill(0), ...end];
}
