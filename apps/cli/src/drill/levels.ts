export const BUILT_LEVELS = [1, 2, 4] as const;
export type BuiltLevel = (typeof BUILT_LEVELS)[number];

/** What the thief of each level does, after "a thief who". */
export const THIEVES: Readonly<Record<BuiltLevel, string>> = {
  1: "steals the contractor's database, files and backups",
  2: "also has every key on its disks, and recorded the wire",
  4: "steals the force's database and backups, without the keyholder's store",
};
