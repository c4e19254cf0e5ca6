/**
 * The flags that say who is let in, who is called, and how. (pure)
 */

import { readFile, readNetworks, readSwitch } from "./values.ts";
import { type FlagTable, type FlagValues, UsageError } from "./flags.ts";
import type { Network } from "./networks.ts";

/** The part of a node's configuration that these flags make. */
export interface SecurityConfig {
  /** The file with the cluster's keys. */
  readonly keyFile: string | undefined;
  /** The text of such a file, as GOSSIPER_KEY gives it. */
  readonly keyText: string | undefined;
  /** Reading takes the key as well. */
  readonly private: boolean;
  /** Files in PEM: serve HTTPS, and call peers by it. */
  readonly tls: TlsFiles | undefined;
  /** Networks that peers are called in; none: all but link-local ones and the like. */
  readonly allow: readonly Network[];
}

/** Paths of files in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/** Keys in the environment, where no file can be had. */
export const KEY_VARIABLE = "GOSSIPER_KEY";

export const SECURITY_FLAGS = {
  "key-file": {
    metavar: "FILE",
    help: `cluster keys, one a line: the first signs, any verifies (or ${KEY_VARIABLE})`,
    read: readFile,
  },
  "private": {
    help: "take the key for reading too, but for /healthz",
    read: readSwitch,
  },
  "tls-cert": {
    metavar: "FILE",
    help: "certificate chain in PEM: serve HTTPS, and call peers by it",
    read: readFile,
  },
  "tls-key": {
    metavar: "FILE",
    help: "the certificate's private key in PEM",
    read: readFile,
  },
  "tls-ca": {
    metavar: "FILE",
    help: "trust peers with certificates of these authorities, in PEM",
    read: readFile,
  },
  "allow": {
    metavar: "CIDR,...",
    help: "networks to call peers in (default all but link-local)",
    default: "",
    read: readNetworks,
  },
} as const satisfies FlagTable;

/** @throws {UsageError} for flags that make no sense together. */
export function securityOf(
  values: FlagValues<typeof SECURITY_FLAGS>,
  keyText: string | undefined,
): SecurityConfig {
  const { "key-file": keyFile, "tls-cert": cert, "tls-key": key, "tls-ca": ca } = values;
  if (keyFile !== undefined && keyText !== undefined) {
    throw new UsageError(`Cannot use -key-file with ${KEY_VARIABLE}: give the keys in one place`);
  }
  if (values.private && keyFile === undefined && keyText === undefined) {
    throw new UsageError(`Cannot use -private without a key: give -key-file or ${KEY_VARIABLE}`);
  }
  if ((cert === undefined) !== (key === undefined) || (ca !== undefined && cert === undefined)) {
    throw new UsageError("Cannot use TLS without both -tls-cert and -tls-key: give the two");
  }
  return {
    keyFile,
    keyText,
    private: values.private ?? false,
    tls: cert === undefined || key === undefined ? undefined : { cert, key, ca },
    allow: Object.freeze(values.allow),
  };
}
