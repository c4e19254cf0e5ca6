/** Types of the part of `@std/http/file-server` that the program uses. */

/** Answers with the file: with its ETag, by `Range` in part, and with 304 where the client has it already. */
export declare function serveFile(request: Request, filePath: string): Promise<Response>;
