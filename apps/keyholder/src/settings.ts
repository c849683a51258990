import { textOf } from "./store/columns.ts";
import type { Store } from "./store/store.ts";

/** `force`: its id. `origin`: the pinned log's. `forbidden-folders`: where the key file may not lie, a JSON list. `witness-policy`: its text. */
type SettingName = "force" | "origin" | "forbidden-folders" | "witness-policy";

export function readSetting(store: Store, name: SettingName): string | undefined {
  const row = store.get("select value from setting where name = ?", name);
  return row && textOf(row, "value");
}

export function writeSetting(store: Store, name: SettingName, value: string): void {
  store.run("insert into setting (name, value) values (?, ?) on conflict do update set value = ?2", name, value);
}
