import type { Agenda } from "./agenda.ts";
import type { Dice } from "../support/dice.ts";
import type { Host } from "./host.ts";
import { IDLE_CONNECTIONS_MAX } from "../../lib/net/idle_connections.ts";
import type { PostOutcome } from "../../lib/net/transport.ts";
import { Links } from "./links.ts";

/** How messages fare on every link. Shares are of messages: a request and its reply are one each. */
export interface Weather {
  /** The usual time on the way is half of this to one and a half. */
  readonly latencyMs: number;
  readonly lostShare: number;
  /** Messages that come late, by up to `lateMs`, and so out of order. */
  readonly lateShare: number;
  readonly lateMs: number;
  readonly doubledShare: number;
}

/** Up to this share of messages lost or late, nobody that runs may be shown dead. */
const CALM_SHARE_MAX = 0.1;

export type Request =
  | {
    readonly kind: "exchange";
    readonly from: string;
    readonly via: string;
    readonly body: string;
  }
  /** What a Go node sends. */
  | { readonly kind: "hello"; readonly from: string; readonly via: string };

const REFUSED: PostOutcome = { kind: "refused" };

/** Bytes that HTTP adds to a request and to an answer: request line and headers as transport.ts and Deno.serve write them. */
export const REQUEST_HEAD_BYTES = 105;
export const ANSWER_HEAD_BYTES = 110;

/** Carries calls between hosts: late, twice, or not at all. */
export class Network {
  readonly links: Links;
  readonly #timeoutMs: (from: Host) => number;
  readonly #agenda: Agenda;
  readonly #dice: Dice;
  readonly #hosts = new Map<string, Host>();
  /** By callee: who keeps an idle connection to it. */
  readonly #connected = new Map<Host, Set<Host>>();
  /** By caller: to whom it keeps one, the last used last. */
  readonly #kept = new WeakMap<Host, Set<Host>>();
  #weather: Weather;
  #roughUntilMs: number;
  #latestMs = 0;
  /** Messages and bytes sent since the start. */
  readonly counts = { calls: 0, bytes: 0 };

  readonly #sizeOf: (body: string) => number;

  constructor(
    { agenda, dice, weather, timeoutMs, sizeOf = (body) => body.length }: {
      agenda: Agenda;
      dice: Dice;
      weather: Weather;
      /** The whole of a call must be over in this time. */
      timeoutMs: (from: Host) => number;
      /** Bytes that are counted for a body. */
      sizeOf?: ((body: string) => number) | undefined;
    },
  ) {
    this.#sizeOf = sizeOf;
    this.#agenda = agenda;
    this.#timeoutMs = timeoutMs;
    this.links = new Links(agenda);
    this.#dice = dice;
    this.#weather = weather;
    this.#roughUntilMs = -Infinity;
    this.setWeather(weather);
  }

  get weather(): Weather {
    return this.#weather;
  }

  /** The most by which any message may have been late so far. */
  get latestMs(): number {
    return this.#latestMs;
  }

  setWeather(weather: Weather): void {
    this.#weather = weather;
    if (weather.lateShare > 0) this.#latestMs = Math.max(this.#latestMs, weather.lateMs);
    if (isRough(weather)) this.#roughUntilMs = Infinity;
    else if (this.#roughUntilMs === Infinity) this.#roughUntilMs = this.#agenda.nowMs;
  }

  /** Since when no more than `CALM_SHARE_MAX` of the messages went wrong; Infinity while more do. */
  get calmSinceMs(): number {
    return this.#roughUntilMs;
  }

  /** Puts `host` at its address, in the place of what was there. */
  attach(host: Host): void {
    this.#hosts.set(host.address, host);
    this.#connected.set(host, new Set());
    host.onClosed = () => this.#hangUp(host);
    this.links.know(host.address);
  }

  /** When a caller last learned that the host at an address accepts connections. */
  readonly acceptedMs = new Map<string, number>();

  /** The last that came to be at an address. */
  hostAt(address: string): Host | undefined {
    return this.#hosts.get(address);
  }

  /** Calls `to`; `settle` hears once what became of it, when the caller gets to run. */
  call(from: Host, to: string, request: Request, settle: Settle): void {
    let settled = false;
    // The kernel of a host accepts connections, whether its process gets to run or not.
    let accepted = false;
    const end = (outcome: PostOutcome) => {
      if (settled) return;
      from.enqueue(outcome.kind === "silent" ? "timer" : "io", () => {
        if (settled) return;
        settled = true;
        settle(outcome);
      });
    };
    const endMs = this.#agenda.nowMs + this.#timeoutMs(from);
    this.#agenda.add(endMs, () => end({ kind: "silent", accepted }));
    this.counts.calls++;
    this.counts.bytes += REQUEST_HEAD_BYTES +
      (request.kind === "exchange" ? this.#sizeOf(request.body) : 0);
    const opened = () => {
      accepted = true;
      this.acceptedMs.set(to, this.#agenda.nowMs);
    };
    this.#carry(from.address, to, () => this.#arrive(from, to, { request, opened }, end));
  }

  #arrive(
    from: Host,
    to: string,
    { request, opened }: { request: Request; opened: () => void },
    settle: Settle,
  ): void {
    const reply = (outcome: PostOutcome) => {
      if (outcome.kind === "answer") {
        this.counts.bytes += ANSWER_HEAD_BYTES + this.#sizeOf(outcome.body);
      }
      this.#carry(to, from.address, () => settle(outcome));
    };
    if (this.links.isRejected(from.address, to)) return reply(REFUSED);
    const host = this.#hosts.get(to);
    if (host?.port === "lost") return;
    if (host === undefined || host.port === "closed") return reply(REFUSED);
    // The packets of its handshake take the way back as the answer does.
    this.#carry(to, from.address, opened);
    host.enqueue("io", () => {
      this.#keep(from, host);
      const body = host.serve(request);
      reply(answerOf(body));
    });
  }

  /** Keeps the connection of a call open: too many, and the one that was idle for longest is closed. */
  #keep(from: Host, to: Host): void {
    const callers = this.#connected.get(to);
    if (callers === undefined) return;
    callers.add(from);
    const kept = this.#kept.get(from) ?? new Set();
    this.#kept.set(from, kept);
    kept.delete(to);
    kept.add(to);
    if (kept.size <= IDLE_CONNECTIONS_MAX) return;
    const [oldest] = kept;
    kept.delete(oldest!);
    this.#connected.get(oldest!)?.delete(from);
  }

  #hangUp(host: Host): void {
    const { address } = host;
    for (const from of this.#connected.get(host) ?? []) {
      this.#carry(address, from.address, () => {
        from.enqueue("io", () => from.hungUp(address));
      });
    }
    this.#connected.delete(host);
  }

  #carry(from: string, to: string, arrive: () => void): void {
    if (!this.links.passes(from, to)) return;
    const dice = this.#dice;
    const { latencyMs, lostShare, lateShare, lateMs, doubledShare } = this.#weather;
    const copies = dice.chance(doubledShare) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (dice.chance(lostShare)) continue;
      const late = dice.chance(lateShare) ? dice.between(0, lateMs) : 0;
      const onTheWayMs = latencyMs * dice.between(0.5, 1.5) + late;
      this.#agenda.add(this.#agenda.nowMs + onTheWayMs, arrive);
    }
  }
}

type Settle = (outcome: PostOutcome) => void;

function answerOf(body: string | undefined): PostOutcome {
  const [status, text] = body === undefined ? [400, ""] : [200, body];
  return { kind: "answer", status, body: text, bytesIn: ANSWER_HEAD_BYTES + text.length };
}

function isRough(weather: Weather): boolean {
  return weather.lostShare + weather.lateShare > CALM_SHARE_MAX;
}
