/**
 * Listening on every address of both families, or on one: what to open, and what to say where it fails.
 *
 * @module
 */
import { errorText } from "../text.ts";

/** A failure to listen; the message is one line that says what to do. */
export class ListenError extends Error {}

/** Something that has an address, and ends. */
export interface Listener {
  readonly addr: Deno.NetAddr;
  shutdown(): Promise<void>;
}

/** What is listened on. */
export interface Listeners<Each extends Listener> {
  /** At least one; all have the same port. */
  readonly listeners: readonly Each[];
  /** The addresses in words; undefined for a single one. */
  readonly on: string | undefined;
}

/** Where to listen, and on what system. */
export interface ListenOptions {
  /** Undefined: every address. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Takes a port for a moment, to find out how the system listens (default `Deno.listen`). */
  readonly tryPort?: (at: { hostname: string; port: number }) => Trial;
}

type Trial = { readonly addr: Deno.NetAddr; close(): void };

const ANY_IPV4 = "0.0.0.0";
const ANY_IPV6 = "::";

/** How a system listens on every address. */
interface Families {
  readonly hosts: readonly string[];
  readonly on: string;
}

const TOGETHER: Families = { hosts: [ANY_IPV6], on: "every IPv4 and IPv6 address" };
const APART: Families = { hosts: [ANY_IPV6, ANY_IPV4], on: "every IPv4 and IPv6 address" };
const IPV4: Families = { hosts: [ANY_IPV4], on: "every IPv4 address" };
const IPV6: Families = { hosts: [ANY_IPV6], on: "every IPv6 address" };

/**
 * Opens what it takes to listen: two listeners for every address where one on `::` does not take IPv4.
 *
 * @throws {ListenError} if one cannot be opened; then none stays open.
 */
export function listen<Each extends Listener>(
  { host, port, tryPort = Deno.listen }: ListenOptions,
  open: (hostname: string, port: number) => Each,
): Listeners<Each> {
  const system = findFamilies(tryPort);
  const hosts = host === undefined ? system.hosts : [host];
  const listeners: Each[] = [];
  try {
    for (const each of hosts) listeners.push(open(each, listeners[0]?.addr.port ?? port));
    return { listeners, on: host === undefined ? system.on : describe(host, system) };
  } catch (error) {
    for (const listener of listeners) listener.shutdown().catch(() => {});
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ListenError(
        `Cannot listen on port ${port}: it is in use. ` +
          "Stop the program that uses it, or choose another port with -port",
      );
    }
    throw new ListenError(`Cannot listen on ${host ?? `port ${port}`}: ${errorText(error)}`);
  }
}

function describe(host: string, system: Families): string | undefined {
  if (host === ANY_IPV4) return IPV4.on;
  if (host !== ANY_IPV6) return undefined;
  return system === APART ? IPV6.on : system.on;
}

/** Found out by trying: Windows, and Linux with `net.ipv6.bindv6only`, keep IPv4 apart; some hosts lack a family. */
function findFamilies(tryPort: (at: { hostname: string; port: number }) => Trial): Families {
  let trial;
  try {
    trial = tryPort({ hostname: ANY_IPV6, port: 0 });
  } catch {
    return IPV4;
  }
  try {
    tryPort({ hostname: ANY_IPV4, port: trial.addr.port }).close();
    return APART;
  } catch (error) {
    return error instanceof Deno.errors.AddrInUse ? TOGETHER : IPV6;
  } finally {
    trial.close();
  }
}
