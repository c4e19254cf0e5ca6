/** A terminal that a test holds. */
import { ClosedError, type Terminal } from "../../lib/cli/terminal.ts";

/** Prints until there are `count` texts; then nobody reads any more. */
export function holdTerminal(count = Infinity) {
  const printed: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    isTerminal: false,
    canAsk: false,
    colours: false,
    size: () => ({ columns: Infinity, rows: Infinity }),
    print(text) {
      if (printed.push(text) < count) return Promise.resolve();
      return Promise.reject(new ClosedError("enough"));
    },
    note: (line) => void notes.push(line),
    ask: () => undefined,
  };
  return { terminal, printed, notes };
}
