import { createHash, randomBytes, randomUUID } from "node:crypto";
import { orderStatement } from "@tipstaff/release-protocol";
import { encodeJobContext, sealJob } from "@tipstaff/sealing";
import { type ForceState, sha, signSeed } from "./test-force-state.ts";

export function addOrder(state: ForceState, count: number) {
  const order = randomUUID();
  const categories = state.agreement.categories.map(({ category }) => category);
  let offset = 0;
  const sealed = Array.from({ length: count }, () => {
    const job = { id: randomUUID(), key: randomBytes(32), attempt: 0, line: undefined, receipt: undefined };
    const templateDigest = "ab".repeat(32);
    const names = { force: "exampleshire-police", recipient: "cardmaker", order, job: job.id };
    const context = encodeJobContext({ ...names, agreementDigest: state.digest, templateDigest, categories });
    const pages = Buffer.from(`%PDF-1.7 ${job.id} Secret Name\n`);
    const ciphertext = sealJob({ contentKey: job.key, context, head: { template: "warrant-card" }, pages });
    const entry = {
      job: job.id,
      templateDigest,
      categories,
      offset,
      length: ciphertext.length,
      digest: sha(ciphertext),
    };
    offset += ciphertext.length;
    state.jobs.set(job.id, job);
    return { ciphertext, entry };
  });
  const manifest = {
    version: 1,
    suite: "A256GCM",
    force: "exampleshire-police",
    recipient: "cardmaker",
    order,
    agreement: state.digest,
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    jobs: sealed.map(({ entry }) => entry),
  };
  const ciphertexts = Buffer.concat(sealed.map(({ ciphertext }) => ciphertext));
  state.orders.set(order, Buffer.concat([signManifest(manifest, state.force.seed), ciphertexts]));
  return { order, jobs: manifest.jobs.map(({ job }) => job) };
}

export type Manifest = {
  readonly jobs: readonly { readonly job: string; readonly offset: number; readonly length: number }[];
};

/** The first two lines of an order file. */
function signManifest(manifest: object, seed: Uint8Array): Buffer {
  const line = Buffer.from(JSON.stringify(manifest));
  const signature = signSeed(seed, orderStatement(createHash("sha256").update(line).digest()));
  return Buffer.concat([line, Buffer.from(`\n${Buffer.from(signature).toString("base64")}\n`)]);
}

export function rewriteOrder(file: Buffer, change: (manifest: Manifest) => object, seed: Uint8Array): Buffer {
  const first = file.indexOf("\n");
  const manifest: Manifest = JSON.parse(file.toString("utf8", 0, first));
  return Buffer.concat([signManifest(change(manifest), seed), file.subarray(file.indexOf("\n", first + 1) + 1)]);
}

export function openRun(state: ForceState, order: string, jobs?: readonly string[]): string {
  const run = randomUUID();
  const { jobs: all } = JSON.parse(state.orders.get(order)?.toString("utf8").split("\n", 1)[0] ?? "");
  state.runs.set(run, { order, jobs: [...(jobs ?? all.map(({ job }: { job: string }) => job))] });
  return run;
}
