import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import vectors from "../vectors/key-hierarchy.json" with { type: "json" };
import release from "../vectors/release.json" with { type: "json" };
import {
  blindIndex,
  deriveIndexKey,
  derivePersonKeys,
  deriveWrappingKey,
  encodeJobContext,
  fingerprintRow,
  openJob,
  openKeyFile,
  openRecord,
  openRelease,
  parseJobContext,
  pseudonymOf,
  sealJob,
  sealRecord,
  unwrapJobKey,
  unwrapSecret,
  wrapJobKey,
  wrapSecret,
} from "./index.ts";
import { releaseSuite } from "./release-suite.ts";
import { fromHex, toHex } from "./test-support.ts";

const nonce = () => fromHex(vectors.wrapped.nonce);
const { wrapped, record, index, fingerprint, pseudonym, job, jobKey, keyFile } = vectors;

test("derivePersonKeys() gives the keys of the vectors", () => {
  const keys = derivePersonKeys(fromHex(vectors.root));
  expect({
    "dek/1": toHex(keys.dek(1)),
    "dek/2": toHex(keys.dek(2)),
    audit: toHex(keys.auditKey()),
    tag: toHex(keys.tagKey()),
    job: toHex(keys.jobKey()),
  }).toEqual(vectors.keys);
});

test("wrapSecret() gives the wrapped root of the vectors, and unwrapSecret() opens it", () => {
  const wrappingKey = deriveWrappingKey(fromHex(wrapped.keyEncryptionKey));
  expect(toHex(wrappingKey)).toBe(wrapped.wrappingKey);
  expect(toHex(wrapSecret(wrappingKey, wrapped.name, fromHex(vectors.root), nonce))).toBe(wrapped.wrapped);
  expect(toHex(unwrapSecret(wrappingKey, wrapped.name, fromHex(wrapped.wrapped)))).toBe(vectors.root);
});

test("sealRecord() gives the sealed field of the vectors, and openRecord() opens it", () => {
  const dek = fromHex(vectors.keys["dek/1"]);
  const place = { ...record.place, field: "details" } as const;
  expect(toHex(sealRecord(dek, place, Buffer.from(record.plaintext), nonce))).toBe(record.sealed);
  expect(Buffer.from(openRecord(dek, place, fromHex(record.sealed))).toString()).toBe(record.plaintext);
});

test("blindIndex(), fingerprintRow() and pseudonymOf() give the values of the vectors", () => {
  const key = deriveIndexKey(fromHex(index.root), index.field);
  expect(toHex(key)).toBe(index.key);
  expect(toHex(blindIndex(key, index.field, index.value))).toBe(index.index);
  expect(toHex(fingerprintRow(fromHex(fingerprint.key), fingerprint.row))).toBe(fingerprint.fingerprint);
  expect(pseudonymOf(fromHex(pseudonym.key), pseudonym.person)).toBe(pseudonym.pseudonym);
});

test("encodeJobContext(), sealJob() and wrapJobKey() give the bytes of the vectors", () => {
  const context = encodeJobContext(job.contextFields);
  expect(toHex(context)).toBe(job.context);
  expect(parseJobContext(context)).toEqual({ ...job.contextFields, categories: job.contextFields.categories.sort() });
  const contentKey = fromHex(job.contentKey);
  const sealed = sealJob({ contentKey, context, head: job.head, pages: fromHex(job.pages), random: nonce });
  expect(sealed.length).toBe(job.sealedLength);
  expect(createHash("sha256").update(sealed).digest("hex")).toBe(job.sealedDigest);
  const opened = openJob({ contentKey, context, sealed });
  expect({ head: opened.head, pages: toHex(opened.pages) }).toEqual({ head: job.head, pages: job.pages });
  const personJobKey = fromHex(vectors.keys.job);
  expect(toHex(wrapJobKey(personJobKey, context, { contentKey, facts: jobKey.facts }, nonce))).toBe(jobKey.wrapped);
  expect(unwrapJobKey(personJobKey, context, fromHex(jobKey.wrapped))).toEqual({ contentKey, facts: jobKey.facts });
});

test("openRelease() opens a content key that another implementation of X-Wing and HPKE sealed", async () => {
  const privateKey = await releaseSuite.DeserializePrivateKey(fromHex(release.seed), false);
  const sealedKey = { info: fromHex(release.info), enc: fromHex(release.enc), sealed: fromHex(release.sealed) };
  expect(toHex(await openRelease({ privateKey, ...sealedKey }))).toBe(release.contentKey);
});

test("openKeyFile() opens a key file whose key another implementation of argon2id wrapped", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tipstaff-sealing-"));
  const path = join(folder, "key");
  const parts = [keyFile.salt, keyFile.wrapped].map((hex) => Buffer.from(hex, "hex").toString("base64url"));
  writeFileSync(path, `tipstaff-key-file/1 argon2id ${parts.join(" ")}\n`, { mode: 0o600 });
  const key = await openKeyFile({ path, passphrase: keyFile.passphrase, forbiddenFolders: [] });
  expect(toHex(key)).toBe(keyFile.key);
  rmSync(folder, { recursive: true });
});
