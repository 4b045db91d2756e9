import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { chooseNames, ownerOf } from "../../../../scripts/docker/names.ts";
import { type StackServer, serverOfPrefix } from "../../../../scripts/model/docker-names.ts";
import { labelsOf } from "../../../../scripts/model/labels.ts";

const clone = "/home/ana/my clone";

describe("the owner label of a stack in a Docker engine", () => {
  const own = ownerOf(undefined, clone);

  it("identifies the project directory if that keeps the state, in any notation of the backend", () => {
    expect(own).toMatch(/^[0-9a-f]{12}$/);
    for (const backend of ["", "file://./.pgroundwork", "file:///home/ana/my%20clone/.pgroundwork"])
      expect(ownerOf(backend, clone), backend).toBe(own);
    expect(ownerOf(undefined, "/home/ana/other")).not.toBe(own);
    expect(ownerOf(undefined, `${clone}2`)).not.toBe(own);
  });

  it("identifies the backend if that is shared, for every project directory", () => {
    const shared = ownerOf("s3://states", clone);
    expect(shared).toBe(ownerOf("s3://states", "/srv/ci"));
    expect(new Set([own, shared, ownerOf("s3://others", clone), ownerOf("file:///srv/states", clone)]).size).toBe(4);
  });
});

describe("the names of a server's objects in a Docker engine", () => {
  const owner = "0123456789ab";
  const stack = { project: "shop", stack: "dev" };
  const labels = (of: string, server: StackServer = stack) => labelsOf({ ...server, owner: of, role: "data" });
  /** Returns an engine with these volumes and with data of the stack. */
  const engine = (volumes: object[], data: object[] = []) =>
    ({
      listVolumes: async ({ filters }: { filters: { label?: string[] } }) => {
        const found = filters.label === undefined ? volumes : data;
        return { Volumes: found.length === 0 ? null : found };
      },
    }) as unknown as Docker;
  const prefix = async (docker: Docker, server: StackServer = stack) =>
    (await chooseNames(docker, server, owner)).prefix;

  it("are short if they are free, or left by a run of the stack itself", async () => {
    expect(await prefix(engine([]))).toBe("shop-dev");
    expect(await prefix(engine([{ Name: "shop-dev-config", Labels: labels(owner) }]))).toBe("shop-dev");
    expect(await prefix(engine([{ Name: "shop-dev-2-data", Labels: null }]))).toBe("shop-dev");
  });

  it("are longer if a volume with such a name has another owner, and its data is not adopted", async () => {
    for (const role of ["data", "config", "run", "log", "backup"]) {
      const name = `shop-dev-${role}`;
      expect(await prefix(engine([{ Name: name, Labels: null }])), role).toBe("shop-dev-012345");
      expect(await prefix(engine([{ Name: name, Labels: labels("other") }])), role).toBe("shop-dev-012345");
    }
  });

  it("are the ones that the data of the stack has", async () => {
    const data = [{ Name: "shop-dev-012345-data", Labels: labels(owner) }];
    expect(await prefix(engine([{ Name: "shop-dev-data", Labels: labels("other") }], data))).toBe("shop-dev-012345");
  });

  it("differ for the servers of a stack, and no server adopts the data of another", async () => {
    const [main, other] = ["main", "other"].map((server) => ({ ...stack, server }));
    if (main === undefined || other === undefined) throw new Error("two servers");
    const data = [{ Name: "shop-dev-main-data", Labels: labels(owner, main) }];
    expect(await prefix(engine(data, data), main)).toBe("shop-dev-main");
    expect(await prefix(engine(data, data), other)).toBe("shop-dev-other");
    expect(await prefix(engine(data, data))).toBe("shop-dev");
  });

  it("differ for stacks and servers whose names are the same when joined", async () => {
    const [one, two, three] = [
      { project: "shop", stack: "a", server: "b-c-d" },
      { project: "shop", stack: "a-b", server: "c-d" },
      { project: "shop", stack: "a-b-c", server: "d" },
    ];
    const taken = [{ Name: "shop-a-b-c-d-data", Labels: labels(owner, one) }];
    const names = await Promise.all([one, two, three].map((server) => prefix(engine(taken), server)));
    expect(names[0]).toBe("shop-a-b-c-d");
    expect(new Set(names).size).toBe(3);
    const servers = [one, two, three].map((server, index) => serverOfPrefix(names[index] ?? "", server, owner));
    expect(servers).toEqual(["b-c-d", "c-d", "d"]);
  });

  it("have no server in the kit's own program, also if they are longer", () => {
    for (const name of ["shop-dev", "shop-dev-012345", "shop-earlier-name"])
      expect(serverOfPrefix(name, stack, owner)).toBeUndefined();
    expect(serverOfPrefix("shop-dev-main-abcdef", stack, owner)).toBe("main-abcdef");
  });
});
