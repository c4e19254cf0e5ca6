/**
 * The parts that few nodes need, each loaded only where the flags ask for it.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import type { DnsServer } from "../dns/server.ts";
import { keepProc } from "../host/libc.ts";
import { bindTrim } from "../host/spare_memory.ts";
import type { Log } from "../log.ts";
import type { Teller, TellerOptions } from "../host/teller.ts";
import type { UserProcess } from "./user_process.ts";

export interface OptionalParts {
  readonly userProcess?: UserProcess | undefined;
  /** Gives back to the system what is not used of its memory. */
  readonly trim?: (() => void) | undefined;
  /** Makes what runs hooks. */
  readonly makeTeller?: ((options: TellerOptions) => Teller) | undefined;
  readonly dns?: DnsServer | undefined;
}

/**
 * Loads what the flags ask for, and gives up the permissions that nothing of it needs.
 *
 * @throws {ListenError} where the address of `-dns` cannot be had.
 */
export async function loadOptionalParts(config: Config, log: Log): Promise<OptionalParts> {
  const { checks, command, hooks } = config;
  const userProcess = checks.length > 0 || command !== undefined
    ? new (await import("./user_process.ts")).UserProcess(config)
    : undefined;
  const runsPrograms = command !== undefined ||
    checks.some(({ target }) => target.kind === "exec") ||
    hooks.some(({ action }) => action.kind === "command");
  if (runsPrograms) {
    const { reapOrphans } = await import("../host/processes.ts");
    reapOrphans((why) => log.notice("warn", `orphans stay zombies, run it with --init: ${why}`));
  }
  const trim = bindTrim();
  if (userProcess === undefined && !runsPrograms) {
    // A node that lost its address looks for the route to another.
    keepProc();
    // What is not asked for cannot be done by mistake either.
    for (const name of ["run", "ffi"] as const) await Deno.permissions.revoke({ name });
  }
  const makeTeller = await loadTeller(config);
  return { userProcess, trim, makeTeller, dns: await openDns(config) };
}

/** What runs the hooks of `-on-change`; undefined without any. */
async function loadTeller({ hooks }: Config): Promise<OptionalParts["makeTeller"]> {
  if (hooks.length === 0) return undefined;
  const { Teller } = await import("../host/teller.ts");
  return (options) => new Teller(hooks, options);
}

/**
 * Answers DNS, where that is asked for: it takes Node's part of the runtime. Imported here, as its type is: where types
 * alone are imported, Deno's installer loads all that a module needs.
 */
async function openDns({ dns }: Config): Promise<DnsServer | undefined> {
  return dns && await (await import("../dns/server.ts")).DnsServer.open(dns);
}
