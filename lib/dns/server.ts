/**
 * The sockets of `-dns`: one port for UDP and TCP.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { formatAddress } from "../address.ts";
import type { ListenAddress } from "../config/values.ts";
import { networkOf } from "../http/callers.ts";
import { ListenError } from "../http/listen.ts";
import { WaitingRoom } from "../http/waiting.ts";
import { close, writeAll } from "../net/connection.ts";
import { pause, withDeadline } from "../net/deadline.ts";
import { Lookups } from "../net/lookups.ts";
import { errorText } from "../text.ts";
import { answerTo, QUERY_BYTES_MAX, UDP_BYTES_MAX, type ZoneSource } from "./answer.ts";

/** Bytes of an answer over TCP: what its length of two bytes can tell. */
const TCP_BYTES_MAX = 65_535;

/**
 * Callers over TCP at once, and how long each may stay, in ms. A resolver goes when it has its answers, but asks more
 * than one question: that of glibc for A and AAAA at once, and takes a connection that ends between them for a failure.
 */
const TCP_CALLERS_MAX = 64;
const TCP_MS_MAX = 5_000;

/** The pause, in ms, after a caller could not be taken: mostly the system has no file descriptor left. */
const ACCEPT_AGAIN_MS = 200;

/** Answers under way: they wait for nothing but the names of members' hosts. */
const UNDER_WAY_MAX = 1_000;

/** The members are looked up this seldom, in ms, however many ask. */
const LIVE_FRESH_MS = 50;

/** The longest wait for the name of a member's host, in ms: resolvers ask again after seconds. */
const LOOKUP_MS_MAX = 500;

/** Opened before the node starts, so that a port that is taken is told at once; answers once it has a source. */
export class DnsServer {
  readonly port: number;
  readonly #udp: Socket;
  readonly #tcp: Deno.TcpListener;
  readonly #lookups = new Lookups();
  readonly #room = new WaitingRoom(TCP_CALLERS_MAX);
  readonly #closed = new AbortController();
  #source: ZoneSource | undefined;
  #underWay = 0;

  private constructor(udp: Socket, tcp: Deno.TcpListener) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = tcp.addr.port;
    udp.on("message", (query, { address, port }) => void this.#answerUdp(query, address, port));
    // A caller that is gone already, as its system says: nobody is harmed.
    udp.on("error", () => {});
    void this.#accept();
  }

  /**
   * Listens.
   *
   * @throws {ListenError} if that is not possible.
   */
  static async open({ host, port }: ListenAddress): Promise<DnsServer> {
    let tcp: Deno.TcpListener | undefined;
    let udp: Socket | undefined;
    try {
      tcp = Deno.listen({ hostname: host, port });
      // Where TCP listens: a name may have addresses of both families, of which each would take one of its own.
      const { hostname, port: taken } = tcp.addr;
      udp = createSocket(hostname.includes(":") ? "udp6" : "udp4");
      udp.bind(taken, hostname);
      await once(udp, "listening");
      return new DnsServer(udp, tcp);
    } catch (error) {
      tcp?.close();
      udp?.close();
      throw new ListenError(
        `cannot answer DNS at ${formatAddress(host, port)}: ${errorText(error)}; ` +
          "give -dns another port, or stop what has this one",
      );
    }
  }

  /** Answers from now on. */
  serve({ live, random }: Omit<ZoneSource, "resolve">): void {
    let members: ReturnType<typeof live> = [];
    let readAtMs = -Infinity;
    this.#source = {
      random,
      resolve: (host) => this.#resolve(host),
      live: () => {
        const nowMs = performance.now();
        if (nowMs - readAtMs >= LIVE_FRESH_MS) [members, readAtMs] = [live(), nowMs];
        return members;
      },
    };
  }

  close(): void {
    this.#closed.abort();
    this.#udp.close();
    this.#tcp.close();
    while (this.#room.size > 0) this.#room.giveUpOne();
  }

  async #answer(query: Uint8Array, bytesMax: number): Promise<Uint8Array | undefined> {
    if (this.#source === undefined || this.#underWay >= UNDER_WAY_MAX) return undefined;
    this.#underWay++;
    try {
      return await answerTo(query, this.#source, bytesMax);
    } finally {
      this.#underWay--;
    }
  }

  async #answerUdp(query: Uint8Array, address: string, port: number): Promise<void> {
    const answer = await this.#answer(query, UDP_BYTES_MAX);
    if (answer !== undefined) this.#udp.send(answer, port, address, () => {});
  }

  async #accept(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const caller = await this.#tcp.accept();
        const network = networkOf(caller.remoteAddr.hostname);
        if (this.#room.admits(network)) void this.#serveTcp(caller, network);
        else caller.close();
      } catch {
        await pause(ACCEPT_AGAIN_MS, signal);
      }
    }
  }

  async #serveTcp(caller: Deno.TcpConn, network: string): Promise<void> {
    const place = this.#room.enter(network, () => close(caller));
    const timer = setTimeout(() => close(caller), TCP_MS_MAX);
    try {
      for (;;) {
        const head = await read(caller, 2);
        const length = head === undefined ? 0 : head[0]! * 256 + head[1]!;
        const query = length > QUERY_BYTES_MAX ? undefined : await read(caller, length);
        const answer = query && await this.#answer(query, TCP_BYTES_MAX);
        if (answer === undefined) return;
        const framed = new Uint8Array(2 + answer.length);
        framed.set([answer.length >> 8, answer.length & 255]);
        framed.set(answer, 2);
        await writeAll(caller, framed);
      }
    } catch {
      // The caller is gone.
    } finally {
      clearTimeout(timer);
      place.leave();
      close(caller);
    }
  }

  async #resolve(host: string): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(LOOKUP_MS_MAX);
    const finding = this.#lookups.find(host, signal).then(({ ips }) => ips, () => []);
    return await withDeadline(finding, LOOKUP_MS_MAX, () => []);
  }
}

/** So many bytes; undefined where the caller sends fewer. */
async function read(caller: Deno.TcpConn, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const count = await caller.read(bytes.subarray(have));
    if (count === null) return undefined;
    have += count;
  }
  return bytes;
}
