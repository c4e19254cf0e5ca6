/**
 * What a file of authorities must hold, which Deno does not say: without a certificate it trusts nobody of a cluster.
 *
 * @module
 */
import { errorText } from "../text.ts";

/** Why a text cannot be used, to complete "Cannot use FILE: it ..."; undefined if it can. */
export function authoritiesTrouble(pem: string): string | undefined {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) return "holds no certificate in PEM";
  try {
    // Whoever is called gets each of them, and a single one that cannot be read fails all calls.
    Deno.createHttpClient({ caCerts: [pem] }).close();
    return undefined;
  } catch (error) {
    const why = errorText(error).replaceAll("\n", " ");
    return `holds a certificate that cannot be read: ${why}`;
  }
}
