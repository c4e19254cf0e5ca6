/** Types of the part of `@std/http/etag` that the program uses. */

/** False when an `If-None-Match` header says that the client has this tag already. */
export declare function ifNoneMatch(value: string | null, etag: string | undefined): boolean;
