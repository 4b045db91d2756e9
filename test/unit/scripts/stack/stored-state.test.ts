import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storedResources } from "../../../../scripts/stack/stored-state.ts";

let root: string;
const resources = [{ urn: "urn", type: "t", outputs: { name: "n" } }];
const state = JSON.stringify({ version: 3, checkpoint: { stack: "dev", latest: { resources } } });
const read = (env: NodeJS.ProcessEnv = {}) => storedResources({ root, env, project: "shop", stack: "dev" });

async function put(folder: string, name: string, content: string | Buffer): Promise<void> {
  await mkdir(join(root, folder, ".pulumi/stacks/shop"), { recursive: true });
  await writeFile(join(root, folder, ".pulumi/stacks/shop", name), content);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-stored #"));
  await writeFile(join(root, "Pulumi.yaml"), "name: shop\nbackend:\n  url: file://./states\n");
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("the stored resources of a stack", () => {
  it("are empty if the stack was only initialised", async () => {
    await put("states", "dev.json", JSON.stringify({ version: 3, checkpoint: { stack: "dev", latest: null } }));
    expect(await read()).toEqual([]);
  });

  it("cannot be read from a folder without the stack", async () => {
    await expect(read()).rejects.toThrow(`Stack "dev" has no state in ${join(root, "states", ".pulumi")}.`);
  });

  it("are read from the project's folder, compressed or not", async () => {
    await put("states", "dev.json.gz", gzipSync(state));
    expect(await read()).toEqual(resources);
    await put("states", "dev.json", state);
    expect(await read()).toEqual(resources);
  });

  it("are read from the folder that older engines used", async () => {
    await mkdir(join(root, "states/.pulumi/stacks"), { recursive: true });
    await writeFile(join(root, "states/.pulumi/stacks/dev.json"), state);
    expect(await read()).toEqual(resources);
  });

  it("are read from the folder that the environment names", async () => {
    await put("elsewhere", "dev.json", state);
    expect(await read({ PULUMI_BACKEND_URL: "file://./elsewhere" })).toEqual(resources);
  });

  it("come from the engine if no folder has them, with its error message", async () => {
    const bin = join(root, "bin");
    await mkdir(bin);
    const pulumi = join(bin, "pulumi");
    await writeFile(
      pulumi,
      `#!/bin/sh\ntest "$*" = "stack export --stack dev --non-interactive" && echo '{"deployment":{"resources":${JSON.stringify(resources)}}}'\n`,
    );
    await chmod(pulumi, 0o755);
    const env = { PULUMI_BACKEND_URL: "s3://states", PATH: [bin, process.env.PATH].join(delimiter) };
    expect(await read(env)).toEqual(resources);
    await writeFile(pulumi, "#!/bin/sh\necho 'error: no such bucket' >&2; exit 1\n");
    await expect(read(env)).rejects.toThrow('Cannot read the state of stack "dev": error: no such bucket');
  });
});
