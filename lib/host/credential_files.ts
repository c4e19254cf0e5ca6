/**
 * The files of keys and certificates: which there are, how long each may be, and what is wrong with one.
 *
 * @module
 */
import type { TlsFiles } from "../config/security.ts";
import { authoritiesTrouble } from "../net/authorities.ts";
import { errorText } from "../text.ts";
import { FileError } from "./files.ts";

/** Longest file of keys: eight keys of the greatest length, and as many bytes of comments. */
const KEY_FILE_BYTES_MAX = 65_536;

/** Longest PEM file: four times a bundle of all public authorities. */
const PEM_BYTES_MAX = 1_048_576;

/** A file that cannot be read or used; the message says in one line which and why. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

/** The files to read, each with the flag that names it and the most bytes that it may have. */
export function filesOf(
  keyFile: string | undefined,
  tls: TlsFiles | undefined,
): { flag: string; path: string; bytesMax: number }[] {
  return Object.entries({
    "-key-file": keyFile,
    "-tls-cert": tls?.cert,
    "-tls-key": tls?.key,
    "-tls-ca": tls?.ca,
  }).flatMap(([flag, path]) => {
    const bytesMax = flag === "-key-file" ? KEY_FILE_BYTES_MAX : PEM_BYTES_MAX;
    return path === undefined ? [] : { flag, path, bytesMax };
  });
}

/**
 * The text of a file, if it can be used.
 *
 * @throws {CredentialsError} if it is that of the authorities, and nobody could be trusted by it.
 */
export function useful(path: string, text: string, tls: TlsFiles | undefined): string {
  const trouble = path === tls?.ca ? authoritiesTrouble(text) : undefined;
  if (trouble !== undefined) {
    throw new CredentialsError(`Cannot use -tls-ca ${path}: it ${trouble}`);
  }
  return text;
}

/** What is wrong with a file, in one line that names it and its flag. */
export function asCredentialsError(
  { flag, path }: { flag: string; path: string },
  error: unknown,
): CredentialsError {
  if (error instanceof CredentialsError) return error;
  const why = errorText(error).replaceAll("\n", " ");
  if (error instanceof FileError) {
    return new CredentialsError(`Cannot use ${flag} ${path}: it ${why}`);
  }
  return new CredentialsError(`Cannot read ${flag} ${path}: ${why}`);
}
