import { concat, decodeUtf8, lengthPrefixedText, utf8 } from "./bytes.ts";
import { SealingError } from "./sealing-error.ts";

/** The one cipher suite of sealed jobs, version 1. */
export const JOB_SUITE = "A256GCM";

/** What a sealed job is for; no person's id. Digests in lower-case hex; categories in any order, each once. */
export type JobContext = {
  readonly force: string;
  readonly recipient: string;
  readonly order: string;
  readonly job: string;
  readonly agreementDigest: string;
  readonly templateDigest: string;
  readonly categories: readonly string[];
};

const LABEL = utf8("tipstaff/v1/job");
const DIGEST = /^[0-9a-f]{64}$/;
const CATEGORY = /^[\x21-\x7e]{1,64}$/;

/**
 * Encodes the context that a sealed job and its wrapped key are bound to (docs/spec/key-hierarchy.md); throws
 * `invalid-input` for an empty text, a digest of another form, or a category twice or with a space in it.
 */
export const encodeJobContext = (context: JobContext): Uint8Array => {
  assertContext(context, "invalid-input");
  const { force, recipient, order, job, agreementDigest, templateDigest, categories } = context;
  const sorted = [...categories].sort().join(" ");
  const texts = [JOB_SUITE, force, recipient, order, job, agreementDigest, templateDigest, sorted];
  return concat([LABEL, ...texts.map(lengthPrefixedText)]);
};

/** Reads what `encodeJobContext` made, and nothing else: throws `malformed`. Categories come sorted. */
export const parseJobContext = (bytes: Uint8Array): JobContext => {
  const texts = readTexts(bytes);
  const [suite, force, recipient, order, job, agreementDigest, templateDigest, sorted] = texts;
  if (
    texts.length !== 8 ||
    suite !== JOB_SUITE ||
    force === undefined ||
    recipient === undefined ||
    order === undefined ||
    job === undefined ||
    agreementDigest === undefined ||
    templateDigest === undefined ||
    sorted === undefined
  ) {
    throw malformed();
  }
  const categories = sorted === "" ? [] : sorted.split(" ");
  const context = { force, recipient, order, job, agreementDigest, templateDigest, categories };
  assertContext(context, "malformed");
  if ([...categories].sort().join(" ") !== sorted) throw malformed();
  return context;
};

const malformed = (): SealingError => new SealingError("malformed", "these bytes are no job context of version 1");

const assertContext = (context: JobContext, code: "invalid-input" | "malformed"): void => {
  const names = [context.force, context.recipient, context.order, context.job];
  const fits =
    names.every((name) => name !== "") &&
    DIGEST.test(context.agreementDigest) &&
    DIGEST.test(context.templateDigest) &&
    context.categories.every((category) => CATEGORY.test(category)) &&
    new Set(context.categories).size === context.categories.length;
  if (!fits) throw new SealingError(code, "a job context has an empty name, a wrong digest, or a wrong category");
};

const readTexts = (bytes: Uint8Array): string[] => {
  if (!LABEL.every((byte, at) => bytes[at] === byte)) throw malformed();
  const texts: string[] = [];
  let offset = LABEL.length;
  while (offset < bytes.length) {
    const start = offset + 2;
    const end = start + (((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0));
    const text = end <= bytes.length ? decodeUtf8(bytes.subarray(start, end)) : undefined;
    if (text === undefined) throw malformed();
    texts.push(text);
    offset = end;
  }
  return texts;
};
