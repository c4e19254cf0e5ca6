/**
 * Where a command prints and asks.
 *
 * @module
 */

import { errorText } from "../text.ts";
import { CallError, EXIT } from "./client.ts";

/** What a command needs of the machine; tests put another in its place. */
export interface Terminal {
  /** Whether what is printed goes to a person. */
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** Columns and rows; Infinity where that is not known. */
  size(): { readonly columns: number; readonly rows: number };
  /**
   * Prints; resolves when the text has been taken.
   *
   * @throws {ClosedError} once nobody reads any more.
   * @throws {CallError} where it cannot be written, as on a full disk.
   */
  print(text: string): Promise<void>;
  /** Prints a line beside the output. */
  note(line: string): void;
  /** Whether there is a person to ask. */
  readonly canAsk: boolean;
  /** Asks a person; undefined where nobody can answer. */
  ask(question: string): string | undefined;
}

/** Whoever read the output has gone, as `head` does. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

/** The process' own. */
export function openTerminal(): Terminal {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stdout.isTerminal();
  const canAsk = Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  return {
    isTerminal,
    canAsk,
    colours: isTerminal && !Deno.noColor,
    size() {
      const { columns, rows } = isTerminal ? Deno.consoleSize() : { columns: 0, rows: 0 };
      return { columns: columns || Infinity, rows: rows || Infinity };
    },
    async print(text) {
      const bytes = encoder.encode(text);
      try {
        for (let done = 0; done < bytes.length;) {
          done += await Deno.stdout.write(bytes.subarray(done));
        }
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new ClosedError("nobody reads");
        // A full disk must not look like an answer.
        throw new CallError(EXIT.wrong, `Cannot print: ${errorText(error)}`);
      }
    },
    note(line) {
      try {
        Deno.stderr.writeSync(encoder.encode(`${line}\n`));
      } catch {
        // The exit status says it as well.
      }
    },
    ask(question) {
      if (!canAsk) return undefined;
      Deno.stderr.writeSync(encoder.encode(`${question} `));
      // A terminal gives a line at a time, and nothing at Ctrl-D.
      const line = new Uint8Array(ANSWER_BYTES_MAX);
      return new TextDecoder().decode(line.subarray(0, Deno.stdin.readSync(line) ?? 0)).trim();
    },
  };
}

/** Bytes of a person's yes or no. */
const ANSWER_BYTES_MAX = 256;

/** Prints; a reader that has gone changes nothing about the exit status. */
export async function printUnlessClosed(terminal: Terminal, text: string): Promise<void> {
  try {
    await terminal.print(text);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
}
