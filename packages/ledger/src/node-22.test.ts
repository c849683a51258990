import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCosigner, createNoteSigner, encodeSignedNote, encodeTlogProof, parseSignedNote } from "./index.ts";
import { createMemoryLog } from "./memory/memory-log.ts";
import { testEntry, testKey } from "./test-entries.ts";
import { installPackage } from "./test-package.ts";

// package.json has the npm package `node` of this line: the oldest that the packed package is to run on.
const node22 = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
let it: ReturnType<typeof installPackage>;
beforeAll(() => {
  it = installPackage(["@noble", "@aws-sdk", "pg"]);
});
afterAll(() => it.remove());

const run = (script: string, given: unknown = {}): string => {
  writeFileSync(join(it.place, "script.mjs"), script);
  writeFileSync(join(it.place, "given.json"), JSON.stringify(given));
  const flags = ["--disable-warning=ExperimentalWarning", "script.mjs"];
  return execFileSync(node22, flags, { cwd: it.place, encoding: "utf8", timeout: 120_000 });
};

describe("on Node 22, the packed package", () => {
  test("runs its README's example, and that is Node 22", () => {
    const [, example = ""] = /```js\n(.*?)```/s.exec(readFileSync(join(it.installed, "README.md"), "utf8")) ?? [];
    expect(run(`${example}\nconsole.log(process.version);`)).toMatch(/^true\nv22\.\d+\.\d+\n$/);
  });

  test("opens through every door that package.json names", () => {
    const { name, exports } = JSON.parse(readFileSync(join(it.installed, "package.json"), "utf8"));
    const doors = Object.keys(exports).filter((door) => door !== "./package.json");
    const said = run(
      'import { readFileSync } from "node:fs";\n' +
        'for (const name of JSON.parse(readFileSync("given.json", "utf8"))) {\n' +
        "  const names = Object.keys(await import(name));\n" +
        "  if (names.length > 0) console.log(name);\n}",
      doors.map((door) => name + door.slice(1)),
    );
    expect(said.trim().split("\n")).toHaveLength(doors.length);
    expect(doors.length).toBeGreaterThan(6);
  });

  test("verifies a log, a proof and an ML-DSA-44 cosignature that were made elsewhere, and refuses changed ones, and to sign so", async () => {
    const signer = createNoteSigner("test.example/log", testKey("node 22"));
    const log = createMemoryLog(signer);
    const entries = Array.from({ length: 300 }, (_, n) => testEntry(`node 22 ${n}`).leaf);
    log.append(entries);
    const { text, signatures } = parseSignedNote(log.checkpoint());
    const mlDsa = createCosigner({ name: "w.example", seed: testKey("ml-dsa"), algorithm: "ml-dsa-44" });
    const note = encodeSignedNote({ text, signatures: [...signatures, mlDsa.cosign(text, 1_700_000_000)] });
    const proof = await log.prover().inclusion(7);
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    const given = {
      key: signer.verifierKey,
      policy: hex(Buffer.from(`log ${signer.verifierKey}\nwitness w ${mlDsa.verifierKey}\nquorum w\n`)),
      entries: entries.map(hex),
      note: hex(note),
      proof: hex(encodeTlogProof({ index: 7n, proof, checkpoint: note, ...(entries[7] ? { extra: entries[7] } : {}) })),
    };
    expect(JSON.parse(run(VERIFY, given))).toEqual({
      whole: { ok: true, size: 300 },
      changed: { ok: false, kind: "entry" },
      evidence: { ok: true, index: "7" },
      policy: [true, "bad-signature", "bad-signature"],
      witnessed: 200,
      signing: ["signer-invalid", "signer-invalid", "signer-invalid"],
    });
  }, 180_000);
});

const VERIFY = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as ledger from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import * as witness from "@tipstaff/ledger/witness";
const given = JSON.parse(readFileSync("given.json", "utf8"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const entries = given.entries.map(bytes);
const verifierKeys = [ledger.parseLogKey(given.key)];
mkdirSync("log");
const tiles = createFolderStorage("log");
const { files } = ledger.extendEdge(ledger.emptyEdge, entries);
await tiles.writeOnce(files);
await tiles.replace({ path: ledger.CHECKPOINT_PATH, bytes: bytes(given.note) });
const whole = await ledger.verifyLog({ tiles, verifierKeys });
const bundle = "log/tile/entries/000";
writeFileSync(bundle, readFileSync(bundle).map((byte, at) => (at === 1000 ? byte ^ 1 : byte)));
const changed = await ledger.verifyLog({ tiles: createFolderStorage("log"), verifierKeys });
const evidence = ledger.verifyEvidence({ proof: bytes(given.proof), verifierKeys });
const policy = ledger.parsePolicy(bytes(given.policy));
const note = ledger.parseSignedNote(bytes(given.note));
const last = note.signatures.at(-1);
last.signature[100] ^= 1;
const judged = [
  ledger.verifyPolicy(bytes(given.note), { policy }),
  ledger.verifyPolicy(ledger.encodeSignedNote(note), { policy }),
  ledger.verifyPolicy(bytes(given.note), { policy, mlDsa44: () => false }),
];
witness.createWitnessStore("witness", { name: "n22.example", seed: new Uint8Array(32), algorithm: "ed25519" });
const own = witness.openWitness({ folder: "witness", logs: [{ origin: "test.example/log", keys: verifierKeys }] });
const { status } = own.addCheckpoint(witness.encodeAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: bytes(given.note) }));
own.close();
const mlDsa = { name: "n22.example", seed: new Uint8Array(32), algorithm: "ml-dsa-44" };
const codeOf = (work) => {
  try {
    return work().name;
  } catch (error) {
    return error.code;
  }
};
witness.createWitnessStore("ml-dsa", mlDsa);
const open = () => witness.openWitness({ folder: "ml-dsa", logs: [] });
console.log(JSON.stringify({
  signing: [() => ledger.createCosigner(mlDsa), open, open].map(codeOf),
  whole: { ok: whole.ok, size: whole.size },
  changed: { ok: changed.ok, kind: changed.fault?.kind },
  evidence: { ok: evidence.ok, index: String(evidence.index) },
  policy: judged.map(({ ok, reason }) => reason ?? ok),
  witnessed: status,
}));
`;
