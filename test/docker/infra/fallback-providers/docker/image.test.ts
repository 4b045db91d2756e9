import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { isMissing } from "../../../../../scripts/docker/docker-error.ts";
import { recordedResourcesOf } from "../../../../recorded-resources.ts";
import { writeBelow } from "../../../../write-below.ts";
import {
  image,
  type Made,
  messageOf,
  sharedDockerFallbackProvider,
  startDockerFallbackProvider,
} from "./fallback-provider.ts";

const docker = dockerClient();
const imageName = `pgw-test-image-${randomBytes(4).toString("hex")}:v1`;
const built = new Set<string>();
const plugin = sharedDockerFallbackProvider();

let folder: string;

afterAll(async () => {
  // Tests build and remove one tag repeatedly, so older images have no tag. The base image belongs to all tests.
  built.delete((await docker.getImage(image).inspect()).Id);
  for (const id of [...built].reverse()) {
    await docker
      .getImage(id)
      .remove()
      .catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
  }
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-context-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, content: string, mode?: number) => writeBelow(folder, name, content, mode);

const inputs = (build: Record<string, unknown> = {}) => ({
  imageName,
  skipPush: true,
  build: { context: folder, platform: "linux/amd64", ...build },
});

const remembered = (made: Made) => {
  built.add(String(made.outputs.repoDigest));
  return made;
};
const create = (build?: Record<string, unknown>) => plugin.create("Image", "i", inputs(build)).then(remembered);
const failing = (build?: Record<string, unknown>) => messageOf(create(build));

/** Returns the content of a file in the image. */
async function fileOf(made: Made, path: string): Promise<string> {
  const container = await docker.createContainer({ Image: String(made.outputs.repoDigest), Cmd: ["cat", path] });
  try {
    await container.start();
    await container.wait();
    const log = await container.logs({ stdout: true, stderr: true });
    return log.subarray(8).toString("utf8").trim();
  } finally {
    await container.remove({ force: true });
  }
}

describe("an image", () => {
  it("has inputs and outputs like the official plugin's, comes from its Dockerfile, and shows no change", async () => {
    const official = (await recordedResourcesOf("docker")).find(({ name }) => name === "probe-img");
    await write(
      "Dockerfile",
      `FROM ${image}\nARG WHO=nobody\nRUN echo $WHO > /who\nCOPY sub/ /sub/\nCMD ["cat", "/who"]\n`,
    );
    await write("sub/run.sh", "hello", 0o755);
    await mkdir(join(folder, "sub/empty"));
    await symlink("run.sh", join(folder, "sub/link"));
    const made = await create({ args: { WHO: "me" } });
    expect(Object.keys(made.inputs).sort()).toEqual(Object.keys(official?.inputs ?? {}).sort());
    expect(Object.keys(made.outputs).sort()).toEqual(Object.keys(official?.outputs ?? {}).sort());
    expect(made.inputs.build).toEqual({
      args: { WHO: "me" },
      context: folder,
      contextDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      dockerfile: join(folder, "Dockerfile"),
      platform: "linux/amd64",
    });
    expect(made.outputs).toEqual({
      __inputs: made.inputs,
      baseImageName: imageName,
      context: folder,
      dockerfile: "Dockerfile",
      imageName,
      platform: "linux/amd64",
      registryServer: "",
      repoDigest: (await docker.getImage(imageName).inspect()).Id,
    });
    expect(made.id).toBe(imageName);
    expect(await plugin.diff(made, inputs({ args: { WHO: "me" } }))).toEqual([]);
    expect(await plugin.read(made)).toEqual(made);
    expect(await fileOf(made, "/who")).toBe("me");
    expect(await fileOf(made, "/sub/link")).toBe("hello");
    // The layers are found again, also if the files belong to another user. Only root can give them away.
    if (process.getuid?.() === 0)
      for (const path of ["sub", "sub/run.sh", "sub/empty"]) await chown(join(folder, path), 12_345, 12_345);
    expect((await create({ args: { WHO: "me" } })).outputs.repoDigest).toBe(made.outputs.repoDigest);

    await plugin.delete(made);
    expect((await docker.getImage(imageName).inspect()).Id).toBe(made.outputs.repoDigest);
  });

  it("is rebuilt in place with another digest if its context changes, but not for an ignored file", async () => {
    await write("Dockerfile", `FROM ${image}\nCOPY . /app\n`);
    await write(".dockerignore", "**/*.log\nDockerfile\nkeep\n!keep/this\n");
    await write("a", "1");
    await write("noise.log", "1");
    await write("keep/this", "1");
    await write("keep/that", "1");
    await write("deep/only.log", "1");
    const made = await create();
    await write("noise.log", "2");
    await write("keep/that", "2");
    expect(await plugin.diff(made, inputs())).toEqual([]);
    for (const ignored of ["noise.log", "keep/that", "deep/only.log", "Dockerfile"]) {
      expect(await fileOf(made, `/app/${ignored}`)).toContain("No such file");
    }
    await write("keep/this", "2");
    expect(await plugin.diff(made, inputs())).toEqual(["build"]);
    await write("keep/this", "1");
    expect(await plugin.diff(made, inputs())).toEqual([]);
    await write("a", "2");
    expect(await plugin.diff(made, inputs())).toEqual(["build"]);
    const updated = remembered(await plugin.update(made, inputs()));
    expect(updated.outputs.repoDigest).not.toBe(made.outputs.repoDigest);
    expect(await fileOf(updated, "/app/a")).toBe("2");
    await chmod(join(folder, "a"), 0o755);
    expect(await plugin.diff(updated, inputs())).toEqual(["build"]);
  });

  it("shows a change if its context moves, as with the official plugin, and stays the same image", async () => {
    await write("one/Dockerfile", `FROM ${image}\nLABEL n=0\n`);
    await write("two/Dockerfile", `FROM ${image}\nLABEL n=0\n`);
    const made = await create({ context: join(folder, "one") });
    const moved = inputs({ context: join(folder, "two") });
    expect(await plugin.diff(made, moved)).toEqual(["build"]);
    expect((await plugin.update(made, moved)).outputs.repoDigest).toBe(made.outputs.repoDigest);
    expect(await plugin.diff(made, { ...inputs({ context: join(folder, "one") }), imageName: "other:v1" })).toEqual([
      "imageName!",
    ]);
  });

  it("leaves the state if the engine no longer has it, but not if its tag has another image", async () => {
    await write("Dockerfile", `FROM ${image}\nLABEL n=1\n`);
    const first = await create();
    await write("Dockerfile", `FROM ${image}\nLABEL n=2\n`);
    const second = await create();
    expect(await plugin.read(first)).toEqual(first);
    await docker.getImage(String(first.outputs.repoDigest)).remove({ force: true });
    expect(await plugin.read(first)).toBeUndefined();
    expect(await plugin.read(second)).toEqual(second);
  });
});

describe("a failing image build", () => {
  it("reports the step and its last lines", async () => {
    await write("Dockerfile", `FROM ${image}\nRUN echo first\nRUN for i in $(seq 30); do echo line $i; done; false\n`);
    const message = await failing();
    expect(message).toMatch(
      new RegExp(
        `^Building image "${imageName}" failed at Step 3/3 : RUN for i .*: The command .* returned a non-zero code: 1\\.\n`,
      ),
    );
    expect(message).toContain("    line 30");
    expect(message).toContain("    line 11");
    expect(message).not.toContain("line 10\n");
    expect(message).not.toContain("first");
  });

  it("shows no secret from its arguments", async () => {
    await write("Dockerfile", `FROM ${image}\nARG TOKEN\nRUN echo "token $TOKEN"; false\n`);
    const secretPlugin = await startDockerFallbackProvider({}, ["build"]);
    const message = await messageOf(secretPlugin.create("Image", "i", inputs({ args: { TOKEN: "hush-hush-hush" } })));
    await secretPlugin.stop();
    expect(message).toContain("token [secret]");
    expect(message).not.toContain("hush");
  });

  it("reports an invalid Dockerfile and a missing base image", async () => {
    await write("Dockerfile", "FORM x\n");
    expect(await failing()).toMatch(/^Building image .* failed.*: .*FORM/);
    await write("Dockerfile", "FROM pgw-no-such-image:1\n");
    expect(await failing()).toMatch(/^Building image .* failed at Step 1\/1 : FROM pgw-no-such-image:1: /);
  });
});

describe("inputs of an image", () => {
  it("are refused by name if they cannot be used", async () => {
    expect(await failing({ context: join(folder, "nowhere") })).toBe(
      `Image.build.context "${join(folder, "nowhere")}" is not a folder`,
    );
    expect(await failing()).toBe(`Image.build.dockerfile "${join(folder, "Dockerfile")}" does not exist`);
    expect(await failing({ dockerfile: "/etc/hostname" })).toContain("is not within the context");
    expect(await failing({ builderVersion: "BuilderBuildKit" })).toContain("must be BuilderV1 here");
    await write("Dockerfile", `FROM ${image}\n`);
    await expect(plugin.create("Image", "i", { ...inputs(), skipPush: false })).rejects.toThrow(
      "Image.skipPush must be true here: the fallback provider does not push images",
    );
    await expect(plugin.create("Image", "i", { ...inputs(), registry: { server: "x" } })).rejects.toThrow(
      "Image.registry is not supported here",
    );
  });
});
