/** Types of the part of `@std/http/negotiation` that the program uses. */

/** Which of the offered media types the client likes best; undefined if it accepts none. */
export declare function accepts(
  request: Pick<Request, "headers">,
  ...types: string[]
): string | undefined;

/** Which of the offered encodings the client likes best; undefined if it accepts none. */
export declare function acceptsEncodings(
  request: Pick<Request, "headers">,
  ...encodings: string[]
): string | undefined;
