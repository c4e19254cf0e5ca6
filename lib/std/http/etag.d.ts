/** Types of the part of `@std/http/etag` that the program uses. */

/** The entity tag of a body: strong for text and bytes. */
export declare function eTag(
  entity: string | Uint8Array,
  options?: { algorithm?: "SHA-256" | "SHA-384" | "SHA-512"; weak?: boolean },
): Promise<string>;

/** Whether an `If-Match` header accepts the tag. */
export declare function ifMatch(value: string | null, etag: string | undefined): boolean;

/** False when an `If-None-Match` header says that the client has this tag already. */
export declare function ifNoneMatch(value: string | null, etag: string | undefined): boolean;
