/**
 * The flags for keys, TLS and the networks in which peers may be called. (pure)
 */

import { readFile, readNames, readNetworks, readSwitch } from "./values.ts";
import { type FlagTable, type FlagValues, UsageError } from "./flags.ts";
import type { Network } from "./networks.ts";

/** The part of a node's configuration that these flags give. */
export interface SecurityConfig {
  /** The file with the cluster's keys. */
  readonly keyFile: string | undefined;
  /** The contents of such a file, from GOSSIPER_KEY. */
  readonly keyText: string | undefined;
  /** Reading requires the key as well. */
  readonly private: boolean;
  /** Set: serve HTTPS, and call peers over it. */
  readonly tls: TlsFiles | undefined;
  /** Names by which people call this node, such as its proxy's, in lower case. */
  readonly names: readonly string[];
  /** Networks in which peers may be called; empty: all but link-local ones and the like. */
  readonly allow: readonly Network[];
}

/** Paths of files in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/** The variable that holds keys where there can be no file. */
export const KEY_VARIABLE = "GOSSIPER_KEY";

export const SECURITY_FLAGS = {
  "key-file": {
    metavar: "FILE",
    help: `keys, one per line: the first signs, any verifies (or ${KEY_VARIABLE})`,
    read: readFile,
  },
  "private": {
    help: "require the key for reading too, except /healthz and /readyz",
    read: readSwitch,
  },
  "tls-cert": {
    metavar: "FILE",
    help: "certificate chain in PEM: serve HTTPS, and call peers over it",
    read: readFile,
  },
  "tls-key": {
    metavar: "FILE",
    help: "the certificate's private key in PEM",
    read: readFile,
  },
  "tls-ca": {
    metavar: "FILE",
    help: "also trust certificates signed by these authorities, in PEM",
    read: readFile,
  },
  "name": {
    metavar: "HOST,...",
    help: "what else people call this node, such as a proxy's name",
    default: "",
    read: readNames,
  },
  "allow": {
    metavar: "CIDR,...",
    help: "networks to call peers in (default all but link-local)",
    default: "",
    filled: true,
    read: readNetworks,
  },
} as const satisfies FlagTable;

/** @throws {UsageError} for flags that contradict or need each other. */
export function securityOf(
  values: FlagValues<typeof SECURITY_FLAGS>,
  keyText: string | undefined,
): SecurityConfig {
  const { "key-file": keyFile, "tls-cert": cert, "tls-key": key, "tls-ca": ca } = values;
  if (keyFile !== undefined && keyText !== undefined) {
    throw new UsageError(`Cannot use -key-file with ${KEY_VARIABLE}: give the keys in one of them`);
  }
  if (values.private && keyFile === undefined && keyText === undefined) {
    throw new UsageError(`Cannot use -private without a key: give -key-file or ${KEY_VARIABLE}`);
  }
  if ((cert === undefined) !== (key === undefined) || (ca !== undefined && cert === undefined)) {
    throw new UsageError("Cannot use TLS without both -tls-cert and -tls-key: give both");
  }
  return {
    keyFile,
    keyText,
    private: values.private ?? false,
    tls: cert === undefined || key === undefined ? undefined : { cert, key, ca },
    names: Object.freeze(values.name),
    allow: Object.freeze(values.allow),
  };
}
