import { SealingError } from "./sealing-error.ts";

/** What a key file holds: the key-encryption key in clear, or wrapped under a passphrase's key. */
export type KeyFileContent =
  | { readonly protection: "none"; readonly key: Uint8Array }
  | { readonly protection: "argon2id"; readonly salt: Uint8Array; readonly wrapped: Uint8Array };

const HEAD = "tipstaff-key-file/1";
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** One line of text: `tipstaff-key-file/1 none <key>` or `tipstaff-key-file/1 argon2id <salt> <wrapped key>`. */
export const encodeKeyFile = (content: KeyFileContent): string => {
  const parts = content.protection === "none" ? [content.key] : [content.salt, content.wrapped];
  return `${[HEAD, content.protection, ...parts.map(toText)].join(" ")}\n`;
};

/** Reads `encodeKeyFile`'s line strictly; throws `key-file-malformed`. */
export const decodeKeyFile = (text: string): KeyFileContent => {
  const [head, protection, ...encoded] = text.endsWith("\n") ? text.slice(0, -1).split(" ") : [];
  if (head !== HEAD) throw malformed();
  const parts = encoded.map((part) => Uint8Array.from(Buffer.from(part, "base64url")));
  const content = toContent(protection, parts);
  if (content === undefined || encodeKeyFile(content) !== text) throw malformed();
  return content;
};

const toContent = (protection: string | undefined, parts: readonly Uint8Array[]): KeyFileContent | undefined => {
  const [first, second] = parts;
  if (protection === "none" && first?.length === 32) return { protection, key: first };
  if (protection === "argon2id" && first?.length === 16 && second?.length === 60) {
    return { protection, salt: first, wrapped: second };
  }
  return undefined;
};

const malformed = (): SealingError =>
  new SealingError("key-file-malformed", "the key file is damaged or of another version: restore it from its copy");
