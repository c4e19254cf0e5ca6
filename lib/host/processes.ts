/**
 * Processes that this one starts: their ends in words, the ends of whole groups, and the orphans that a container's
 * first process gets.
 *
 * @module
 */
import { errorText } from "../text.ts";
import { bindLibc } from "./libc.ts";

/** Processes that the runtime waits for; all others that end as children of this one are orphans. */
const started = new Set<number>();

/** Whether orphans are being reaped: once is enough for all who ask. */
let reaping = false;

/** Starts a process; throws as `Deno.Command` does. */
export function spawn(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  const child = new Deno.Command(program, options).spawn();
  const status = child.status.catch(namelessEnd);
  started.add(child.pid);
  void status.finally(() => started.delete(child.pid));
  return Object.defineProperty(child, "status", { value: status });
}

/** The end by a signal that the runtime has no name for, such as Linux' real-time signals: it fails to tell of one. */
function namelessEnd(error: unknown): Deno.CommandStatus {
  const [, signal] = /^Invalid signal: ([0-9]+)$/.exec(errorText(error)) ?? [];
  if (signal === undefined) throw error;
  return { success: false, code: 128 + Number(signal), signal: null };
}

/** An end in words: `exited with 1`, `exited with 137 (SIGKILL)`. */
export function describeExit({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with ${code}` : `exited with ${code} (${signal})`;
}

/** Kills a process that was started `detached`, and all of its group that are left and may be killed. */
export function killGroup({ pid }: Deno.ChildProcess): void {
  try {
    // A negative number means the group; Windows has none.
    Deno.kill(Deno.build.os === "windows" ? pid : -pid, "SIGKILL");
  } catch (error) {
    // All of them have ended, or those that are left run as another user, as those of sudo do.
    const { NotFound, PermissionDenied } = Deno.errors;
    if (![NotFound, PermissionDenied, TypeError].some((kind) => error instanceof kind)) throw error;
  }
}

// <signal.h>
const SIGHUP = 1;
const SIG_IGN = 1n;

/**
 * Has the system ignore SIGHUP again, which a program that is started then inherits: the runtime would have it end by
 * one. Calls `onTrouble` with the reason where that cannot be done.
 */
export function ignoreHangUp(onTrouble: (text: string) => void): void {
  try {
    const types = { parameters: ["i32", "pointer"], result: "pointer" } as const;
    bindLibc({ signal: types }).signal(SIGHUP, Deno.UnsafePointer.create(SIG_IGN));
  } catch (error) {
    onTrouble(errorText(error));
  }
}

// Linux: <sys/wait.h>, and where a siginfo_t has the ID of the process on 64 bits.
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const SIGINFO_BYTES = 128;
const SI_PID_OFFSET = 16;

/**
 * Where this process is the first of its PID namespace, takes the statuses of orphans that ended: the kernel makes them
 * its children, and they stay zombies until somebody does. Calls `onTrouble` with the reason where that cannot be done.
 * Elsewhere does nothing.
 */
export function reapOrphans(onTrouble: (text: string) => void): void {
  if (reaping || Deno.pid !== 1 || Deno.build.os !== "linux") return;
  reaping = true;
  try {
    const waitid = bindWaitid();
    const reap = () => reapAll(waitid);
    Deno.addSignalListener("SIGCHLD", reap);
    reap();
  } catch (error) {
    onTrouble(errorText(error));
  }
}

type Waitid = ReturnType<typeof bindWaitid>;

function bindWaitid() {
  const types = { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" } as const;
  return bindLibc({ waitid: types }).waitid;
}

function reapAll(waitid: Waitid): void {
  for (;;) {
    const info = new Uint8Array(SIGINFO_BYTES);
    // Looks without taking: the status of a process that was started here is the runtime's.
    waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT);
    const pid = new DataView(info.buffer).getInt32(SI_PID_OFFSET, true);
    // Nobody has ended, or no child is left.
    if (pid === 0) return;
    if (started.has(pid)) {
      // It hides whoever ended after it, until the runtime has taken its status.
      setTimeout(() => reapAll(waitid), HIDDEN_MS);
      return;
    }
    waitid(P_PID, pid, info, WEXITED | WNOHANG);
  }
}

/** The runtime hears of the end of a process of its own at the same time, and takes its status in a moment. */
const HIDDEN_MS = 50;
