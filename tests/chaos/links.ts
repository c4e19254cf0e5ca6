/**
 * What may lie between two nodes, and whom it keeps apart. (pure)
 *
 * @module
 */

/** A fault of the network. */
export type LinkFault =
  /** Nothing passes between these and the others. */
  | { readonly kind: "part"; readonly ids: readonly string[] }
  /** No packet from one reaches some others; the way back is open. */
  | { readonly kind: "drop"; readonly from: string; readonly to: readonly string[] }
  /** A firewall answers for a port that is open: connection refused. */
  | { readonly kind: "reject"; readonly from: readonly string[]; readonly to: string }
  /** This share of all packets is lost. */
  | { readonly kind: "loss"; readonly share: number };

/** Whether packets from `a` reach `b`, some at least. */
function passes(fault: LinkFault, a: string, b: string): boolean {
  switch (fault.kind) {
    case "part":
      return fault.ids.includes(a) === fault.ids.includes(b);
    case "drop":
      return !(fault.from === a && fault.to.includes(b));
    default:
      return true;
  }
}

/** Whether `a` can open a connection to `b`: TCP needs both ways. */
function opens(faults: readonly LinkFault[], a: string, b: string): boolean {
  return faults.every((fault) =>
    passes(fault, a, b) && passes(fault, b, a) &&
    !(fault.kind === "reject" && fault.to === b && fault.from.includes(a))
  );
}

/** Whether news can pass between `a` and `b`: an exchange goes both ways, whoever opens it. */
export function canTalk(faults: readonly LinkFault[], a: string, b: string): boolean {
  return opens(faults, a, b) || opens(faults, b, a);
}

/** Whether `fault` troubles the link between `a` and `b`. Loss is everybody's, so no excuse for anybody. */
export function troubles(fault: LinkFault, a: string, b: string): boolean {
  return !opens([fault], a, b) || !opens([fault], b, a);
}

/** The fault in words. */
export function describeFault(fault: LinkFault): string {
  switch (fault.kind) {
    case "part":
      return `part ${fault.ids.join(" ")} from the others`;
    case "drop":
      return `drop all from ${fault.from} to ${fault.to.join(" ")}`;
    case "reject":
      return `reject ${fault.from.join(" and ")} at the port of ${fault.to}`;
    case "loss":
      return `lose ${fault.share * 100} % of all packets`;
  }
}
