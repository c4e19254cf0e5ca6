/**
 * Runs a node from its command line to its exit status: reads the flags, starts it, and ends it when asked.
 *
 * @module
 */
import { parseConfig, type ParsedConfig } from "../config/config.ts";
import { CredentialsError } from "../host/credential_files.ts";
import { settleNames } from "../host/names.ts";
import {
  LineWriter,
  onHangUp,
  onStopSignal,
  ProgramError,
  surviveErrors,
} from "../host/process.ts";
import { StateError } from "../host/state_file.ts";
import { versionLine } from "../host/version.ts";
import { ListenError } from "../http/listen.ts";
import { createLog } from "../log.ts";
import { errorText } from "../text.ts";
import { loadOptionalParts, type OptionalParts } from "./optional_parts.ts";
import { type RunningNode, start } from "./running_node.ts";
import denoConfig from "../../deno.json" with { type: "json" };

/** Runs a node as its flags say; resolves to its exit status. */
export async function main(args: string[]): Promise<number> {
  // First: until then the system ends the process at a signal, or loses it where the process is a container's first.
  const asked = Promise.withResolvers<string>();
  let running: RunningNode | undefined;
  let optional: OptionalParts = {};
  const forgetStop = onStopSignal(asked.resolve);
  onHangUp({
    stop: () => {
      if (!optional.userProcess?.hungUp()) asked.resolve("SIGHUP");
    },
    reload: () => {
      void running?.reload();
      optional.userProcess?.pass("SIGHUP");
    },
  });
  const parsed = parseConfig(args, (name) => Deno.env.get(name), {
    hostname: Deno.hostname(),
    randomId: crypto.randomUUID().slice(0, 8),
  });
  if (parsed.kind !== "run") return answer(parsed);
  const settled = await Promise.race([settleNames(parsed.config), asked.promise]);
  // Asked to stop while names were looked up.
  if (typeof settled === "string") return 0;
  if (settled.kind === "usage") return answer(settled);
  const { config, warning } = settled;
  const { logFormat: format, logLevel: level } = config;
  const stderr = new LineWriter({
    write: (bytes) => Deno.stderr.write(bytes),
    onLost: (lines) => log.notice("warn", `${lines} lines of this log are lost`),
  });
  const write = (line: string) => stderr.write(line);
  const log = createLog(write, { now: () => new Date(), format, level });
  if (warning !== undefined) log.notice("warn", warning);
  try {
    optional = await loadOptionalParts(config, log);
    running = start(config, write, optional);
    if (optional.userProcess?.takesSignals()) forgetStop();
  } catch (error) {
    const expected = [ListenError, StateError, CredentialsError, ProgramError];
    if (!(error instanceof Error && expected.some((kind) => error instanceof kind))) throw error;
    await stderr.flush();
    console.error(`gossiper: ${error.message}`);
    return error instanceof StateError || error instanceof ProgramError ? error.status : 1;
  }
  const node = running;
  surviveErrors((error) => node.reportBug(error));
  void asked.promise.then((reason) => node.leave(reason));
  const status = await node.ended;
  await stderr.flush();
  return status;
}

/** Answers a command line that starts no node; the exit status. */
function answer(parsed: Exclude<ParsedConfig, { readonly kind: "run" }>): number {
  switch (parsed.kind) {
    case "help":
      return print(parsed.text);
    case "version":
      return print(
        versionLine(denoConfig.version, { deno: Deno.version.deno, target: Deno.build.target }),
      );
    case "usage":
      console.error(`gossiper: ${parsed.message}`);
      return 2;
  }
}

/** Prints a line; the exit status, which tells of a full disk as that of a command does. */
function print(text: string): number {
  try {
    console.log(text);
    return 0;
  } catch (error) {
    console.error(`gossiper: Cannot print: ${errorText(error)}`);
    return 2;
  }
}
