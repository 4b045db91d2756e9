import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type plugin_pb from "@pulumi/pulumi/proto/plugin_pb.js";
import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty_pb from "google-protobuf/google/protobuf/empty_pb.js";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";
import { startPlugin, struct } from "../provider-protocol/plugin-client.ts";

const launcher = join(cloneRoot, "infra/provider/pulumi-resource-pgroundwork");

it("the plugin launcher uses the project's Node, whatever is on PATH, and drops the project's settings", async () => {
  const plugin = await startPlugin(launcher, [], { env: { PATH: "/usr/bin:/bin" } });
  try {
    const info = await plugin.client.call<InstanceType<typeof plugin_pb.PluginInfo>>(
      "getPluginInfo",
      new empty_pb.Empty(),
    );
    expect(info.getVersion()).toBe("0.1.0");
    const request = new provider_pb.CheckRequest().setNews(struct({ server: "embedded", version: "0.1.0" }));
    const answer = await plugin.client.call<InstanceType<typeof provider_pb.CheckResponse>>("checkConfig", request);
    expect(answer.getFailuresList()).toEqual([]);
    expect(answer.getInputs()?.toJavaScript()).toEqual({ version: "0.1.0" });
  } finally {
    await plugin.stop();
  }
});

it("the plugin launcher says what to do if packages are not installed", async () => {
  const clone = await mkdtemp(join(tmpdir(), "pgw-clone-"));
  await mkdir(join(clone, "infra/provider"), { recursive: true });
  const copy = join(clone, "infra/provider/pulumi-resource-pgroundwork");
  await copyFile(launcher, copy);
  await expect(startPlugin(copy, [])).rejects.toThrow(
    /pgroundwork: .*node_modules\/\.bin\/node is missing\. Run 'npm ci' in the project's folder\./,
  );
  await rm(clone, { recursive: true });
});
