import { expect } from "vitest";
import type { Clone } from "../../../../clone.ts";

/** Commands on backups, for a server outside of a container. An embedded one has physical archives. */
const commands: readonly { args: string; alsoEmbedded: boolean }[] = [
  { args: "create", alsoEmbedded: false },
  { args: "list", alsoEmbedded: false },
  { args: "window", alsoEmbedded: true },
  { args: "location", alsoEmbedded: true },
  { args: "restore --to-volume copy", alsoEmbedded: true },
  { args: "restore --only shop --yes", alsoEmbedded: true },
  { args: "restore --in-place --before-deploy last --yes", alsoEmbedded: true },
  { args: "restore --in-place --yes", alsoEmbedded: false },
  { args: "restore --undo --yes", alsoEmbedded: false },
  { args: "remove --generation 1", alsoEmbedded: true },
  { args: "drill", alsoEmbedded: true },
  { args: "deploys", alsoEmbedded: true },
  { args: "evidence copy nowhere", alsoEmbedded: true },
];

/** Expects of every command on backups that it names what works on a stack's server instead. */
export async function expectInstead(clone: Clone, server: "embedded" | "external"): Promise<void> {
  const dump = "    one database:  npm run pgw -- backup dump --database shop --stack local\n";
  const whole = "    whole server:  npm run pgw -- backup create --stack local\n";
  for (const { args } of commands.filter((each) => server === "external" || each.alsoEmbedded)) {
    const { code, stdout, stderr } = await clone.pgw("backup", ...args.split(" "));
    expect([args, code, stdout]).toEqual([args, 2, ""]);
    expect(stderr).toContain(`What works here instead:\n${server === "embedded" ? whole : ""}${dump}`);
  }
}
