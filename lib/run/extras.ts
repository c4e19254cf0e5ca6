/**
 * What a node has besides, each loaded only where it is asked for.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import type { DnsServer } from "../dns/server.ts";
import { bindTrim } from "../host/spare_memory.ts";
import type { Log } from "../log.ts";
import type { Teller, TellerOptions } from "../host/teller.ts";
import type { UserProcess } from "./user_process.ts";

export interface Extras {
  readonly dns?: DnsServer | undefined;
  readonly userProcess?: UserProcess | undefined;
  /** Gives back to the system what is not used of its memory. */
  readonly trim?: (() => void) | undefined;
  /** Makes what runs hooks. */
  readonly teller?: ((options: TellerOptions) => Teller) | undefined;
}

/** Loads what the flags ask for, and gives up the permissions that nothing of it needs. */
export async function loadExtras(config: Config, log: Log): Promise<Extras> {
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
    // What is not asked for cannot be done by mistake either.
    for (const name of ["run", "ffi"] as const) await Deno.permissions.revoke({ name });
  }
  return { userProcess, trim, teller: await loadTeller(config) };
}

/**
 * Answers DNS, where that is asked for: it takes Node's part of the runtime. Imported here, as its type is: where types
 * alone are imported, Deno's installer loads all that a module needs.
 *
 * @throws {ListenError} where that address cannot be had.
 */
export async function openDns({ dns }: Config): Promise<DnsServer | undefined> {
  return dns && await (await import("../dns/server.ts")).DnsServer.open(dns);
}

/** What runs the hooks of `-on-change`; undefined without any. */
async function loadTeller({ hooks }: Config): Promise<Extras["teller"]> {
  if (hooks.length === 0) return undefined;
  const { Teller } = await import("../host/teller.ts");
  return (options) => new Teller(hooks, options);
}
