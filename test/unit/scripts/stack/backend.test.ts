import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineInstallation } from "../../../../scripts/pulumi/ensure-engine.ts";
import { backendNote, backendVariables, describeBackend } from "../../../../scripts/stack/backend.ts";
import { stateFile } from "../../../../scripts/stack/state-file.ts";
import { declaredStateFolder, stateFolder } from "../../../../scripts/stack/state-folder.ts";

let root: string;
let own: string;
const team = { PULUMI_BACKEND_URL: "s3://team?region=x" };

const project = (backend: string) => writeFileSync(join(root, "Pulumi.yaml"), `name: shop\n${backend}`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "backend "));
  own = pathToFileURL(join(root, ".pgroundwork")).href;
  project("backend:\n  url: file://./.pgroundwork\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("the backend of the local stack", () => {
  it("is the project's own, whatever is exported", () => {
    expect(backendVariables(root, "local", team)).toEqual({ PULUMI_BACKEND_URL: own });
    expect(backendVariables(root, "local", {})).toEqual({});
    expect(declaredStateFolder(root, "local", team)).toBe(join(root, ".pgroundwork", ".pulumi"));
    expect(stateFile(root, "local", team)).toBeUndefined();
    expect(backendNote(root, "local", team)).toBe(
      `PULUMI_BACKEND_URL applies only to other stacks. The state of the local stack is in ${own} (Pulumi.yaml).`,
    );
    expect(backendNote(root, "local", { PULUMI_BACKEND_URL: own })).toBeUndefined();
    expect(backendNote(root, "local", {})).toBeUndefined();
  });

  it("is left to the engine if Pulumi.yaml names another kind", () => {
    project("backend: {url: 's3://of-the-project'}\n");
    expect(backendVariables(root, "local", team)).toEqual({ PULUMI_BACKEND_URL: undefined });
    expect(describeBackend(root, "local", team)).toBe("s3://of-the-project (Pulumi.yaml)");
  });

  it("is the exported one if the project names none", () => {
    project("");
    expect(backendVariables(root, "local", team)).toEqual({});
    expect(describeBackend(root, "local", team)).toBe("s3://team?region=x (PULUMI_BACKEND_URL)");
    expect(describeBackend(root, "local", {})).toBe("the backend of Pulumi's login");
  });
});

describe("the backend of another stack", () => {
  it("is the exported one, and messages say so", () => {
    expect(backendVariables(root, "dev", team)).toEqual({});
    expect(declaredStateFolder(root, "dev", team)).toBeUndefined();
    expect(backendNote(root, "dev", team)).toBe("Its state is in s3://team?region=x (PULUMI_BACKEND_URL).");
    expect(backendNote(root, "dev", {})).toBe(`Its state is in ${own} (Pulumi.yaml).`);
    const database = { PULUMI_BACKEND_URL: "postgres://pulumi:a-password@db/states" };
    expect(backendNote(root, "dev", database)).not.toContain("a-password");
  });
});

it("a state in files is found by its stack, whatever the engine's environment exports", () => {
  const engine = { environment: { PULUMI_BACKEND_URL: "file:///srv/states" } } as unknown as EngineInstallation;
  expect(stateFolder({ engine, root, name: "dev" }, {})).toBe("/srv/states/.pulumi");
  expect(stateFolder({ engine, root, name: "local" }, {})).toBe(join(root, ".pgroundwork", ".pulumi"));
});
