/** Types of the part of `@std/http/negotiation` that the program uses. */

/** The media types that the client accepts, best first. */
export declare function accepts(request: Pick<Request, "headers">): string[];
/** Which of the offered media types the client likes best; undefined for none. */
export declare function accepts(
  request: Pick<Request, "headers">,
  ...types: string[]
): string | undefined;

/** Which of the offered encodings the client likes best; undefined for none. */
export declare function acceptsEncodings(
  request: Pick<Request, "headers">,
  ...encodings: string[]
): string | undefined;
