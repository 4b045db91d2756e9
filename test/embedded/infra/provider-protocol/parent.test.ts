import { connect } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";
import { type PluginClient, startPlugin } from "./plugin-client.ts";

const specimen = join(cloneRoot, "test/embedded/infra/provider-protocol/specimen.ts");

/** Starts the plugin from a shell instead of the engine. The shell prints the plugin's pid and waits. */
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
  ["with work that stops on request", { wait: true }],
  ["with work that never ends", { hang: true }],
])("a plugin exits within seconds after its engine was killed, %s", async (_, inputs) => {
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
      // The process has ended, as expected.
    }
  }
});
