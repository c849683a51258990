import { textOf } from "./store/columns.ts";
import type { Store } from "./store/store.ts";

/**
 * `force`: its id. `origin`: the log's, and the name of the key that signs its checkpoints. `log-pinned`: there once the console said
 * so. `forbidden-folders`: where the key file may not lie, a JSON list. `witness-policy`: its text.
 */
type SettingName = "force" | "origin" | "log-pinned" | "forbidden-folders" | "witness-policy";

export function readSetting(store: Store, name: SettingName): string | undefined {
  const row = store.get("select value from setting where name = ?", name);
  return row && textOf(row, "value");
}

export function writeSetting(store: Store, name: SettingName, value: string): void {
  store.run("insert into setting (name, value) values (?, ?) on conflict do update set value = ?2", name, value);
}
