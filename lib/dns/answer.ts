/**
 * A DNS query in bytes -> its answer in bytes. All input is hostile: what is no plain question gets an error of twelve
 * bytes, or no answer at all.
 *
 * No answer over UDP is longer than 512 bytes, whatever the query allows: a query with a forged source would get a
 * victim more. One that is cut says so, and its caller asks again over TCP.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Answer, decode, encode, type Packet, TRUNCATED_RESPONSE } from "./dns_packet.ts";
import { type Address, isIp } from "../address.ts";
import { shuffle } from "../partners.ts";
import { type ListedMember } from "../report/members.ts";
import { isServing } from "../report/live.ts";
import { isInZone, type Meaning, meaningOf, targetOf, ZONE } from "./zone.ts";

/** Bytes of a query: a name, and the options that resolvers add. */
export const QUERY_BYTES_MAX = 512;

/** Bytes of an answer over UDP. */
export const UDP_BYTES_MAX = 512;

/** Records of an answer over TCP: such as fit 64 KiB. */
const RECORDS_MAX = 500;

const HEADER_BYTES = 12;
const DOT = ".".charCodeAt(0);

/** Bits and codes of the second word of a header. */
const AUTHORITATIVE = 1 << 10;
const RESPONSE = 1 << 15;
const ASKS_RECURSION = 1 << 8;
const RCODE = { formatError: 1, noSuchName: 3, notImplemented: 4, refused: 5 } as const;

/** Nothing that this zone says holds for longer than this moment. */
const TTL_S = 0;

/** What an answer is made from. */
export interface ZoneSource {
  /** The live members. */
  readonly live: () => readonly ListedMember[];
  /** The known IP addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Uniform in [0, 1): which of several places comes first. */
  readonly random: () => number;
}

/** Answers a query; undefined: it gets no answer. */
export async function answerTo(
  query: Uint8Array,
  source: ZoneSource,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  if (query.length < HEADER_BYTES || query.length > QUERY_BYTES_MAX) return undefined;
  const header = new DataView(query.buffer, query.byteOffset, HEADER_BYTES);
  const word = header.getUint16(2);
  // Never to an answer: two servers would talk without end.
  if ((word & RESPONSE) !== 0) return undefined;
  if (((word >> 11) & 0xf) !== 0) return failure(header, RCODE.notImplemented);
  const isPlain = header.getUint16(4) === 1 && header.getUint16(6) === 0 &&
    header.getUint16(8) === 0 && header.getUint16(10) <= 1;
  const question = isPlain ? questionIn(query) : undefined;
  if (question === undefined) return failure(header, RCODE.formatError);
  const isOurs = question.class === "IN" && isInZone(question.name) && !hasDotInLabel(query);
  if (!isOurs) return failure(header, RCODE.refused);
  const meaning = meaningOf(question.name, source.live().filter(isServing));
  const packet: Packet = {
    id: header.getUint16(0),
    type: "response",
    flags: AUTHORITATIVE | (word & ASKS_RECURSION) |
      (meaning === undefined ? RCODE.noSuchName : 0),
    questions: [question],
    answers: [],
    additionals: [],
  };
  if (meaning !== undefined) await fill(packet, meaning, source);
  // Says for how long it holds that there is nothing: not at all.
  if (packet.answers!.length === 0) packet.authorities = [START_OF_ZONE];
  return fitted(packet, bytesMax);
}

/** The question of a packet; undefined for one that cannot be read. */
function questionIn(query: Uint8Array): NonNullable<Packet["questions"]>[number] | undefined {
  try {
    return decode(Buffer.from(query.buffer, query.byteOffset, query.length)).questions![0];
  } catch {
    return undefined;
  }
}

/** Whether a label of the question has a dot in it: in a text it looks like two, so the answer would be to another. */
function hasDotInLabel(query: Uint8Array): boolean {
  let at = HEADER_BYTES;
  for (let length; (length = query[at] ?? 0) > 0; at += 1 + length) {
    if (query.subarray(at + 1, at + 1 + length).includes(DOT)) return true;
  }
  return false;
}

/** The header alone, with an error. */
function failure(header: DataView, code: number): Uint8Array {
  const answer = new DataView(new ArrayBuffer(HEADER_BYTES));
  answer.setUint16(0, header.getUint16(0));
  answer.setUint16(2, RESPONSE | (header.getUint16(2) & (0x7800 | ASKS_RECURSION)) | code);
  return new Uint8Array(answer.buffer);
}

const START_OF_ZONE: Answer = {
  type: "SOA",
  name: ZONE,
  ttl: TTL_S,
  data: {
    mname: ZONE,
    rname: `hostmaster.${ZONE}`,
    serial: 1,
    refresh: 60,
    retry: 60,
    expire: 60,
    minimum: TTL_S,
  },
};

/** Adds the records that the question asks for. */
async function fill(packet: Packet, meaning: Meaning, source: ZoneSource): Promise<void> {
  const { name, type } = packet.questions![0]!;
  if (type === "SOA" && name.toLowerCase() === ZONE) {
    packet.answers!.push(START_OF_ZONE);
    return;
  }
  if (meaning.kind === "ip") {
    packet.answers!.push(...addressRecords(name, [meaning.ip], type));
    return;
  }
  // In an order drawn anew, so that callers who take the first take all in turn.
  const places = shuffle([...meaning.places], source.random).slice(0, RECORDS_MAX);
  if (type === "SRV") {
    for (const place of places) {
      const target = targetOf(place);
      const data = { priority: 1, weight: 1, port: place.port, target };
      packet.answers!.push({ type: "SRV", name, ttl: TTL_S, data });
      if (isIp(place.host)) {
        packet.additionals!.push(...addressRecords(target, [place.host], "ANY"));
      }
    }
    return;
  }
  const ips = await Promise.all(places.map((place) => ipsOf(place, source)));
  packet.answers!.push(...addressRecords(name, new Set(ips.flat()), type));
}

function ipsOf({ host }: Address, { resolve }: ZoneSource): Promise<readonly string[]> {
  return isIp(host) ? Promise.resolve([host]) : resolve(host);
}

/** A and AAAA records of those of `ips` that a question of that type is about. */
function addressRecords(name: string, ips: Iterable<string>, type: string | undefined): Answer[] {
  return Array.from(ips, (data): Answer => {
    return { type: data.includes(":") ? "AAAA" : "A", name, ttl: TTL_S, data };
  }).filter((record) => type === record.type || type === "ANY");
}

/** The packet in bytes, without what does not fit; without answers, it says that it is cut. */
function fitted(packet: Packet, bytesMax: number): Uint8Array {
  let bytes = encode(packet);
  while (bytes.length > bytesMax && packet.additionals!.length > 0) {
    packet.additionals!.length >>= 1;
    bytes = encode(packet);
  }
  while (bytes.length > bytesMax) {
    packet.answers!.length = Math.floor(packet.answers!.length * bytesMax / bytes.length);
    packet.flags! |= TRUNCATED_RESPONSE;
    bytes = encode(packet);
  }
  return bytes;
}
