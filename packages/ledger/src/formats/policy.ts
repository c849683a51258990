import { decodeUtf8 } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { COSIGNATURE_TYPES, type CosignerKey, parseCosignerKey } from "./cosigner-key.ts";
import { type LogKey, parseLogKey } from "./log-key.ts";
import { ED25519_TYPE, parseTypedKey } from "./verifier-key.ts";

/** The name of a log's key is the log's origin. */
export type PolicyLog = { readonly key: LogKey; readonly verifierKey: string; readonly url?: string };
/** `name` means something inside its policy only; `key.name` is what signatures carry. */
export type PolicyWitness = {
  readonly name: string;
  readonly key: CosignerKey;
  readonly verifierKey: string;
  readonly url?: string;
};

/** Fulfilled by a witness's cosignature, or by so many of these members. */
export type Quorum =
  | { readonly witness: PolicyWitness }
  | { readonly threshold: number; readonly members: readonly Quorum[] };

/** Which checkpoints are to be believed (C2SP tlog-policy). `quorum` is `none` only where the file says so in words. */
export type Policy = {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly quorum: Quorum | "none";
};

/** Longest policy, and most logs, witnesses and groups in it. */
export const MAX_POLICY_BYTES = 1_048_576;
const MAX_OF_A_KIND = 256;

const NONE = "none";

type Draft = {
  logs: PolicyLog[];
  witnesses: PolicyWitness[];
  /** What may be referred to. Names are octets, so that no two spellings are one. */
  defined: Map<string, Quorum>;
  members: Set<string>;
  /** Public keys, and the names with ids under which signatures stand. */
  keys: Set<string>;
  groups: number;
  quorum: Quorum | "none" | undefined;
};

/** Reads a policy file strictly; throws `policy-malformed`, with the line, or `verifier-key-malformed`. */
export const parsePolicy = (bytes: Uint8Array): Policy => {
  if (bytes.length > MAX_POLICY_BYTES) throw malformed(`it is longer than ${MAX_POLICY_BYTES} bytes`);
  let octets = "";
  for (const byte of bytes) {
    if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a)) {
      throw malformed("a control character other than tab and newline (CR …) stands in it");
    }
    octets += String.fromCharCode(byte);
  }
  if (!octets.endsWith("\n")) throw malformed("its last line does not end in a newline");
  const draft: Draft = {
    logs: [],
    witnesses: [],
    defined: new Map(),
    members: new Set(),
    keys: new Set(),
    groups: 0,
    quorum: undefined,
  };
  for (const [at, line] of octets.slice(0, -1).split("\n").entries()) readLine(draft, line, at + 1);
  const { logs, witnesses, quorum } = draft;
  if (quorum === undefined) throw malformed("it has no quorum line");
  return { logs, witnesses, quorum };
};

const malformed = (why: string, line?: number): LedgerError =>
  new LedgerError("policy-malformed", `policy: ${line === undefined ? "" : `line ${line}: `}${why}`);

const readLine = (draft: Draft, text: string, line: number): void => {
  const items = text.split(/[ \t]+/).filter((item) => item !== "");
  const [keyword, ...rest] = items;
  if (keyword === undefined || keyword.startsWith("#")) return;
  const refuse = (why: string): LedgerError => malformed(why, line);
  if (keyword === "log") readLog(draft, rest, refuse);
  else if (keyword === "witness") readWitness(draft, rest, refuse);
  else if (keyword === "group") readGroup(draft, rest, refuse);
  else if (keyword === "quorum") readQuorum(draft, rest, refuse);
  else throw refuse('it must begin with "log", "witness", "group" or "quorum"');
};

type Refuse = (why: string) => LedgerError;

const readLog = (draft: Draft, items: readonly string[], refuse: Refuse): void => {
  const [vkey, url] = items;
  if (vkey === undefined || items.length > 2) throw refuse('it must read "log vkey [url]"');
  const verifierKey = keyText(vkey, refuse);
  if (parseTypedKey(verifierKey).type === COSIGNATURE_TYPES.ed25519.type) {
    throw refuse("a log's key has type 01 or 06; this one is a witness's");
  }
  const key = parseLogKey(verifierKey);
  claimKey(draft, key, refuse);
  if (draft.logs.push({ key, verifierKey, ...urlOf(url) }) > MAX_OF_A_KIND) throw refuse("it is one log too many");
};

const readWitness = (draft: Draft, items: readonly string[], refuse: Refuse): void => {
  const [name, vkey, url] = items;
  if (name === undefined || vkey === undefined || items.length > 3) {
    throw refuse('it must read "witness name vkey [url]"');
  }
  const verifierKey = keyText(vkey, refuse);
  if (parseTypedKey(verifierKey).type === ED25519_TYPE) {
    throw refuse(`a witness's key has type 0${COSIGNATURE_TYPES.ed25519.type} or 06; this one signs plain notes`);
  }
  const key = parseCosignerKey(verifierKey);
  claimKey(draft, key, refuse);
  const witness = { name: textOf(name), key, verifierKey, ...urlOf(url) };
  define(draft, { name, quorum: { witness } }, refuse);
  if (draft.witnesses.push(witness) > MAX_OF_A_KIND) throw refuse("it is one witness too many");
};

// A witness with a log's key, or two under one key, would count for more than the one party that it is.
// An id has 32 bits: somebody can search for a key that takes another's name and id, and so spoils its signatures.
const claimKey = ({ keys }: Draft, { name, keyId, publicKey }: LogKey | CosignerKey, refuse: Refuse): void => {
  const claims = [String(publicKey), `${name}+${keyId}`];
  if (claims.some((claim) => keys.has(claim))) throw refuse("another line has the same public key, or name and id");
  for (const claim of claims) keys.add(claim);
};

const define = ({ defined }: Draft, { name, quorum }: { name: string; quorum: Quorum }, refuse: Refuse): void => {
  if (name === NONE) throw refuse('"none" has its meaning already');
  if (defined.has(name)) throw refuse("that name is defined already");
  defined.set(name, quorum);
};

const readGroup = (draft: Draft, items: readonly string[], refuse: Refuse): void => {
  const [name, rule, ...names] = items;
  if (name === undefined || rule === undefined || names.length === 0) {
    throw refuse('it must read "group name all|any|k member …"');
  }
  const members = names.map((member) => {
    const quorum = draft.defined.get(member);
    if (quorum === undefined) throw refuse("a member is not defined on a line before");
    if (draft.members.has(member)) throw refuse("a member is listed twice, here or in another group");
    draft.members.add(member);
    return quorum;
  });
  define(draft, { name, quorum: { threshold: thresholdOf(rule, members.length, refuse), members } }, refuse);
  draft.groups += 1;
  if (draft.groups > MAX_OF_A_KIND) throw refuse("it is one group too many");
};

const thresholdOf = (rule: string, count: number, refuse: Refuse): number => {
  if (rule === "all") return count;
  if (rule === "any") return 1;
  const threshold = /^[1-9][0-9]{0,8}$/.test(rule) ? Number(rule) : 0;
  if (threshold < 1 || threshold > count)
    throw refuse('after the name comes "all", "any", or 1 up to the member count');
  return threshold;
};

const readQuorum = (draft: Draft, items: readonly string[], refuse: Refuse): void => {
  const [name] = items;
  if (name === undefined || items.length > 1) throw refuse('it must read "quorum name"');
  if (draft.quorum !== undefined) throw refuse("there is a quorum line already");
  const quorum = name === NONE ? NONE : draft.defined.get(name);
  if (quorum === undefined) throw refuse("the quorum's name is not defined on a line before");
  draft.quorum = quorum;
};

/** A key's name is UTF-8 (C2SP signed-note). Read otherwise, it would be another key's. */
const keyText = (octets: string, refuse: Refuse): string => {
  const text = decodeUtf8(Uint8Array.from(octets, (character) => character.charCodeAt(0)));
  if (text === undefined) throw refuse("a key is not valid UTF-8");
  return text;
};

/** The text of octets: what they say in UTF-8, or else each octet as a character. */
const textOf = (octets: string): string =>
  decodeUtf8(Uint8Array.from(octets, (character) => character.charCodeAt(0))) ?? octets;

const urlOf = (url: string | undefined): { url?: string } => (url === undefined ? {} : { url: textOf(url) });
