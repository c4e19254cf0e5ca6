/** DNS messages as bytes and back. The specifier is whole, as not every way in has an import map. */
// @ts-types="npm:@types/dns-packet@5.6.5"
export * from "npm:dns-packet@5.6.1";
