/**
 * What the names of `-join` stand for: every address of a host's name, every host of a service's SRV records. Looked
 * up again while
 * somebody of them does not answer, as the hosts behind a name come and go.
 *
 * The name itself stays a seed as well: the system also knows those of /etc/hosts and the like, and a certificate is
 * for a name.
 *
 * @module
 */
import { formatAddress, isIp, normalizeAddress, parseAddress } from "../address.ts";
import { SRV_PREFIX } from "../config/values.ts";

/** Waits between two lookups while somebody does not answer: from, and doubled up to. */
const BACK_OFF_MS = 1_000;
const BACK_OFF_MAX_MS = 30_000;

/** A look at whether all answer, once all did: no lookup, so it costs nothing. */
const LOOK_MS = 5_000;

/** A lookup may take this long; the next attempt comes anyway. */
const LOOKUP_MS = 5_000;

/** Addresses that one `-join` may stand for: a headless service of a few hundred pods fits. */
export const RESOLVED_MAX = 256;

/** A name server's answers, as `Deno.resolveDns` gives them; rejects where there are none. */
export interface Resolver {
  (name: string, type: "A" | "AAAA", options: { signal: AbortSignal }): Promise<string[]>;
  (name: string, type: "SRV", options: { signal: AbortSignal }): Promise<Deno.SrvRecord[]>;
}

export interface SeedNamesOptions {
  /** As given: `host:port` and `srv:_service._tcp.name`. */
  readonly join: readonly string[];
  /** Takes all addresses found, at each lookup. */
  readonly onResolved: (addresses: readonly string[]) => void;
  /** Whether somebody of `-join` does not answer. */
  readonly misses: () => boolean;
  readonly onNotice: (level: "info" | "warn", text: string) => void;
  readonly resolver?: Resolver;
}

/** Whether an entry of `-join` names SRV records. */
export function isSrv(entry: string): boolean {
  return entry.startsWith(SRV_PREFIX);
}

/** Suspicion names up, first at once, then as long as somebody does not answer. */
export class SeedNames {
  readonly #options: SeedNamesOptions;
  readonly #names: readonly string[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ended = new AbortController();
  #waitMs = BACK_OFF_MS;
  #told = false;

  constructor(options: SeedNamesOptions) {
    this.#options = options;
    this.#names = options.join.filter((entry) => isSrv(entry) || isName(entry));
  }

  start(): void {
    if (this.#names.length > 0) void this.#look();
  }

  stop(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { resolver = Deno.resolveDns, onResolved } = this.#options;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(LOOKUP_MS)]);
    const found = await resolveNames(this.#names, { resolver, signal });
    if (this.#ended.signal.aborted) return;
    // No answer at all may be the name server's trouble: what was known stays.
    if (found !== undefined) onResolved(found);
    this.#tell(found?.length ?? 0);
    this.#wait();
  }

  #wait(): void {
    const misses = this.#options.misses();
    if (!misses) this.#waitMs = BACK_OFF_MS;
    this.#timer = setTimeout(() => {
      if (this.#options.misses()) void this.#look();
      else this.#wait();
    }, misses ? this.#waitMs : LOOK_MS);
    if (misses) this.#waitMs = Math.min(2 * this.#waitMs, BACK_OFF_MAX_MS);
  }

  /** Says once that a service has no hosts yet, and when it has. */
  #tell(found: number): void {
    const services = this.#names.filter(isSrv).map((name) => name.slice(SRV_PREFIX.length));
    if (services.length === 0 || (found === 0) === this.#told) return;
    this.#told = found === 0;
    const names = services.join(", ");
    const { onNotice } = this.#options;
    if (found > 0) onNotice("info", `${names}: found ${found} to join`);
    else onNotice("warn", `${names}: found nobody to join; looks again for ever`);
  }
}

/** Every address that the names stand for now, none twice; undefined where no name server knows any of them. */
export async function resolveNames(
  names: readonly string[],
  at: { resolver: Resolver; signal: AbortSignal },
): Promise<string[] | undefined> {
  const lists = await Promise.all(
    names.map((name) =>
      isSrv(name) ? resolveService(name.slice(SRV_PREFIX.length), at) : resolveHost(name, at)
    ),
  );
  const known = lists.filter((list) => list !== undefined);
  return known.length === 0 ? undefined : [...new Set(known.flat())].slice(0, RESOLVED_MAX);
}

async function resolveService(
  name: string,
  { resolver, signal }: { resolver: Resolver; signal: AbortSignal },
): Promise<string[] | undefined> {
  // Priorities and weights are for sharing load: whoever answers will do.
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
  // The name alone will do.
  if (found.length === 1) return [];
  const addresses = found.map((ip) => normalizeAddress(formatAddress(ip, port)));
  return addresses.filter((address) => address !== undefined);
}

/** Whether an address has a name that a name server can know, rather than an IP address. */
function isName(address: string): boolean {
  const host = parseAddress(address)?.host ?? "";
  return host !== "" && !isIp(host) && host !== "localhost";
}
