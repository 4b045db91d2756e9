import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";

/** User id of `nobody` on Debian, Alpine and Fedora. */
const nobody = 65534;

it.skipIf(process.getuid?.() !== 0 || process.platform !== "linux")(
  "an ordinary user's server runs as that user, below that user's data folder (needs root)",
  async () => {
    const data = await mkdtemp(join(tmpdir(), "pgw data of nobody "));
    await chown(data, nobody, nobody);
    const child = spawn(process.execPath, [join(cloneRoot, "test/embedded/scripts/server/ordinary-user.ts")], {
      uid: nobody,
      gid: nobody,
      cwd: data,
      env: { PATH: process.env.PATH, HOME: "/nonexistent", XDG_DATA_HOME: data },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let reported = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      reported += text;
    });
    const exited = once(child, "exit");
    const [said] = await Promise.race([once(child.stdout, "data"), exited]);
    if (!Buffer.isBuffer(said)) throw new Error(reported);
    const server = JSON.parse(said.toString()) as { pid: number; data: string; rows: unknown; uid: number };
    expect(server.uid).toBe(nobody);
    expect(server.rows).toEqual([{ one: 1 }]);
    expect(server.data.startsWith(join(data, "pgroundwork", "servers", "project-stack-"))).toBe(true);
    expect((await stat(server.data)).uid).toBe(nobody);
    expect(await readFile(`/proc/${server.pid}/status`, "utf8")).toMatch(new RegExp(`^Uid:\\s+${nobody}\\s`, "m"));
    child.stdin.end("go on\n");
    expect(await exited).toEqual([0, null]);
    expect(reported).toBe("");
    await rm(data, { recursive: true });
  },
);
