import { connect } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";
import { type PluginClient, startPlugin } from "./plugin-client.ts";

const specimen = join(cloneRoot, "test/embedded/infra/plugin/specimen.ts");

/** A shell in the engine's place: it starts the plugin, says its pid, and waits. */
async function startBelowAnother(): Promise<{ client: PluginClient; parent: () => void; pid: number }> {
  const script = '"$0" "$@" & echo $!; wait';
  const {
    client,
    process: shell,
    lines,
  } = await startPlugin("/bin/sh", ["-c", script, process.execPath, specimen], {
    portLine: 1,
  });
  return { client, parent: () => void shell.kill("SIGKILL"), pid: Number(lines[0]) };
}

const listens = (port: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.once("connect", () => socket.destroy(resolve(true) as undefined));
    socket.once("error", () => resolve(false));
  });

it.each([
  ["idle", {}],
  ["with work under way that stops when it is told to", { wait: true }],
  ["with work under way that never ends", { hang: true }],
])("a plugin ends within seconds after its engine was killed by force, %s", async (_, inputs) => {
  const { client, parent, pid } = await startBelowAnother();
  try {
    await client.create({ name: "works" });
    client.create(inputs).catch(() => undefined);
    expect(await listens(client.port)).toBe(true);
    parent();
    await expect.poll(() => listens(client.port), { timeout: 20_000, interval: 100 }).toBe(false);
  } finally {
    client.close();
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended, as it should have.
    }
  }
});
