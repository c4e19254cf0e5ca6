/**
 * The addresses behind the names of `-join`: every address of a host name, every host of a service's SRV records. They
 * are looked up again while one of them does not answer, because the hosts behind a name come and go.
 *
 * The name itself stays a seed too: the system also knows names that no name server does, such as those of /etc/hosts,
 * and a certificate is issued for a name.
 *
 * @module
 */
import { formatAddress, isIp, normalizeAddress, parseAddress } from "../address.ts";
import { SRV_PREFIX } from "../config/values.ts";

/** Delay between two lookups while a seed does not answer, in ms: the first, doubled each time up to the longest. */
const BACK_OFF_MS = 1_000;
const BACK_OFF_MAX_MS = 30_000;

/** Delay between two checks whether all seeds still answer, in ms; a check looks nothing up, so it costs nothing. */
const CHECK_MS = 5_000;

/** Time after which a lookup is given up, in ms; the next attempt comes anyway. */
const LOOKUP_MS = 5_000;

/** Addresses taken from the names of one `-join`: a headless service of a few hundred pods fits. */
export const RESOLVED_MAX = 256;

/** Asks a name server, as `Deno.resolveDns` does; rejects if it has no answer. */
export interface Resolver {
  (name: string, type: "A" | "AAAA", options: { signal: AbortSignal }): Promise<string[]>;
  (name: string, type: "SRV", options: { signal: AbortSignal }): Promise<Deno.SrvRecord[]>;
}

export interface SeedNamesOptions {
  /** As given: `host:port` and `srv:_service._tcp.name`. */
  readonly join: readonly string[];
  /** Called after each lookup with all addresses found. */
  readonly onResolved: (addresses: readonly string[]) => void;
  /** Whether one of the seeds does not answer. */
  readonly misses: () => boolean;
  readonly onNotice: (level: "info" | "warn", text: string) => void;
  readonly resolver?: Resolver;
}

/** Whether an entry of `-join` names SRV records. */
export function isSrv(entry: string): boolean {
  return entry.startsWith(SRV_PREFIX);
}

/** Looks the names up at once, and again as long as a seed does not answer. */
export class SeedNames {
  readonly #options: SeedNamesOptions;
  readonly #names: readonly string[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ended = new AbortController();
  #waitMs = BACK_OFF_MS;
  /** The last lookup found no host of a service. */
  #lacksService = false;

  constructor(options: SeedNamesOptions) {
    this.#options = options;
    this.#names = options.join.filter((entry) => isSrv(entry) || isName(entry));
  }

  start(): void {
    if (this.#names.length > 0) void this.#lookUp();
  }

  stop(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
  }

  async #lookUp(): Promise<void> {
    const { resolver = Deno.resolveDns, onResolved } = this.#options;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(LOOKUP_MS)]);
    const { addresses, lacking } = await resolveNames(this.#names, { resolver, signal });
    if (this.#ended.signal.aborted) return;
    // Without any answer the name server itself may be in trouble: keep the addresses found before.
    if (addresses !== undefined) onResolved(addresses);
    this.#tell(addresses?.length ?? 0, lacking);
    this.#wait();
  }

  #wait(): void {
    const misses = this.#misses;
    if (!misses) this.#waitMs = BACK_OFF_MS;
    this.#timer = setTimeout(() => {
      if (this.#misses) void this.#lookUp();
      else this.#wait();
    }, misses ? this.#waitMs : CHECK_MS);
    if (misses) this.#waitMs = Math.min(2 * this.#waitMs, BACK_OFF_MAX_MS);
  }

  /** A service is a seed by its hosts alone: without any, nobody misses an answer of it. */
  get #misses(): boolean {
    return this.#lacksService || this.#options.misses();
  }

  /** Reports once that a service has no hosts yet, and once that each has some. */
  #tell(found: number, lacking: readonly string[]): void {
    const lacks = lacking.length > 0;
    const services = this.#names.filter(isSrv).map(serviceOf);
    if (services.length === 0 || lacks === this.#lacksService) return;
    this.#lacksService = lacks;
    const { onNotice } = this.#options;
    if (lacks) onNotice("warn", `${lacking.join(", ")}: found no node to join; keeps trying`);
    else onNotice("info", `${services.join(", ")}: found ${found} to join`);
  }
}

/** What was found behind names. */
interface Resolved {
  /** Every address, each once; undefined if no name server knows any of the names. */
  readonly addresses: string[] | undefined;
  /** The services without hosts. */
  readonly lacking: string[];
}

/** What is behind the names now. */
export async function resolveNames(
  names: readonly string[],
  at: { resolver: Resolver; signal: AbortSignal },
): Promise<Resolved> {
  const lists = await Promise.all(
    names.map((name) => isSrv(name) ? resolveService(serviceOf(name), at) : resolveHost(name, at)),
  );
  const known = lists.filter((list) => list !== undefined);
  const all = [...new Set(known.flat())].slice(0, RESOLVED_MAX);
  return {
    addresses: known.length === 0 ? undefined : all,
    lacking: names.filter((name, i) => isSrv(name) && lists[i] === undefined).map(serviceOf),
  };
}

function serviceOf(name: string): string {
  return name.slice(SRV_PREFIX.length);
}

async function resolveService(
  name: string,
  { resolver, signal }: { resolver: Resolver; signal: AbortSignal },
): Promise<string[] | undefined> {
  // Priorities and weights share load among servers; here any node that answers will do.
  const records = await resolver(name, "SRV", { signal }).catch(() => []);
  if (records.length === 0) return undefined;
  const addresses = records.map(({ target, port }) =>
    normalizeAddress(formatAddress(target.replace(/\.$/, ""), port))
  );
  return addresses.filter((address) => address !== undefined);
}

async function resolveHost(
  name: string,
  { resolver, signal }: { resolver: Resolver; signal: AbortSignal },
): Promise<string[] | undefined> {
  const { host, port } = parseAddress(name)!;
  const none = (): string[] => [];
  const found = (await Promise.all([
    resolver(host, "A", { signal }).catch(none),
    resolver(host, "AAAA", { signal }).catch(none),
  ])).flat();
  if (found.length === 0) return undefined;
  // The name itself is a seed, and leads there.
  if (found.length === 1) return [];
  const addresses = found.map((ip) => normalizeAddress(formatAddress(ip, port)));
  return addresses.filter((address) => address !== undefined);
}

/** Whether an address has a name that a name server can know, rather than an IP address. */
function isName(address: string): boolean {
  const host = parseAddress(address)?.host ?? "";
  return host !== "" && !isIp(host) && host !== "localhost";
}
