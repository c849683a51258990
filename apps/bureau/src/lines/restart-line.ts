import { lineSchema } from "@tipstaff/release-protocol";
import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import { notAnswered } from "../desk/not-answered.ts";
import { askPatiently } from "../desk/patience.ts";
import { takeOverRestart } from "./line-state.ts";

const ASK_PATIENCE_MS = 10_000;
const WORDS = {
  "not-stopped": "The line is not stopped",
  "no-consent": "The force has not restarted this line, or it was used since; two people of the force must do it",
} as const;

/**
 * An operator takes over what the force restarted: a line that was stopped because somebody else had used it. Throws
 * `bad-input`, `unreachable` or `refused`.
 */
export async function restartLine(bureau: Bureau, { line: name, operator }: { line: string; operator: string }) {
  const { desk, keys, signal, settings, store, log, now } = bureau;
  if (!store.lines().some(({ line }) => line === name)) throw new BureauError("bad-input", "There is no such line");
  const call = { method: "GET", path: `/v1/lines/${name}`, key: keys.requests } as const;
  const answer = await askPatiently(() => desk.call(call, lineSchema), { milliseconds: ASK_PATIENCE_MS, signal });
  if (answer.kind !== "ok") throw notAnswered(answer);
  if (answer.value.line !== name) throw new BureauError("refused", "The desk answered about another line");
  const { chain, restart } = answer.value;
  const taken = takeOverRestart(store.line(name), { recipient: settings.recipient, chain, restart });
  if (!taken.ok) throw new BureauError("refused", WORDS[taken.reason]);
  await store.write(() => {
    store.setLine(taken.line);
    store.insertAlarm(now(), { kind: `line-restarted:${operator}`, line: name });
  });
  log.warn({ line: name, restart, operator }, "line restarted with the force's consent");
  return { line: name, restarted: true };
}
