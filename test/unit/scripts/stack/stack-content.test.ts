import { describe, expect, it } from "vitest";
import { stackContent, superuserPassword, withoutDatabases } from "../../../../scripts/stack/stack-content.ts";
import type { StackState, StateResource } from "../../../../scripts/stack/stack-state.ts";

const urn = (type: string, name: string) => `urn:pulumi:local::pgroundwork::${type}::${name}`;
const component = "pgroundwork:components:Database";
const stack: StateResource = {
  urn: urn("pulumi:pulumi:Stack", "pgroundwork-local"),
  type: "pulumi:pulumi:Stack",
  outputs: { protected: false, databases: { shop: { migrations: [] }, shop_two: { migrations: [] } } },
};
const server: StateResource = {
  urn: urn("pgroundwork:index:EmbeddedServer", "server-postgres"),
  type: "pgroundwork:index:EmbeddedServer",
  outputs: { folder: "/data/servers/a", dataDirectory: "/data/servers/a/data" },
};
const database = (name: string): StateResource[] => [
  { urn: urn(component, name), type: component, parent: stack.urn },
  {
    urn: urn(`${component}$postgresql:index/database:Database`, `${name}-database`),
    type: "postgresql:index/database:Database",
    parent: urn(component, name),
    outputs: { name },
  },
];
const provider = { urn: urn("pulumi:providers:pgroundwork", "default"), type: "pulumi:providers:pgroundwork" };
const state = (...resources: StateResource[]): StackState => ({ version: 3, deployment: { resources } });
const place = {
  urn: urn("pgroundwork:components:EmbeddedServer", "server"),
  type: "pgroundwork:components:EmbeddedServer",
};
const whole = state(stack, provider, place, server, ...database("shop"), ...database("shop_two"));

describe("the content of a state", () => {
  it("has the server, the databases and the number of resources that `up` counts", () => {
    expect(stackContent(whole)).toEqual({
      resources: 3,
      isUp: false,
      kind: "embedded",
      server: { folder: "/data/servers/a", dataDirectory: "/data/servers/a/data" },
      databases: ["shop", "shop_two"],
      protected: false,
    });
  });

  it("is empty if there is no state or an empty one", () => {
    const nothing = { resources: 0, isUp: false, server: undefined, databases: [], protected: false };
    expect(stackContent(undefined)).toEqual(nothing);
    expect(stackContent({ version: 3, deployment: {} })).toEqual(nothing);
  });

  it("is protected if the stack or any of its resources is", () => {
    expect(stackContent(state({ ...stack, outputs: { protected: true } })).protected).toBe(true);
    expect(stackContent(state({ ...server, protect: true })).protected).toBe(true);
  });

  it("has the Docker names and owner, and which volumes stay", () => {
    const component = "pgroundwork:components:DockerServer";
    const volume = (name: string, retainOnDelete: boolean): StateResource => ({
      urn: urn("docker:index/volume:Volume", `server-${name}`),
      type: "docker:index/volume:Volume",
      outputs: { name: `pgroundwork-local-${name}` },
      retainOnDelete,
    });
    const names: StateResource = {
      urn: urn("pgroundwork:index:DockerNames", "server-docker-names"),
      type: "pgroundwork:index:DockerNames",
      outputs: { dockerHost: "ssh://box", owner: "0123456789ab", prefix: "pgroundwork-local" },
    };
    const image: StateResource = {
      urn: urn("docker:index/image:Image", "server-image"),
      type: "docker:index/image:Image",
      outputs: { imageName: "pgroundwork-local-postgres:17" },
    };
    const whole = state(
      { urn: urn(component, "server"), type: component },
      names,
      image,
      volume("data", true),
      volume("run", false),
    );
    expect(stackContent(whole)).toMatchObject({
      kind: "docker",
      docker: {
        host: "ssh://box",
        owner: "0123456789ab",
        prefix: "pgroundwork-local",
        volumes: [
          { name: "pgroundwork-local-data", stays: true },
          { name: "pgroundwork-local-run", stays: false },
        ],
        images: ["pgroundwork-local-postgres:17"],
      },
    });
  });

  it("has the superuser's password only if it was read with secrets", () => {
    const secret = (value: object) => state({ ...server, outputs: { superuserPassword: value } });
    expect(superuserPassword(secret({ plaintext: '"p4ss"' }))).toBe("p4ss");
    expect(superuserPassword(secret({ ciphertext: "v1:xyz" }))).toBeUndefined();
    expect(superuserPassword(undefined)).toBeUndefined();
  });
});

describe("a state without one database", () => {
  it("has no component, resources or outputs of it", () => {
    const rest = withoutDatabases(whole, ["shop"]);
    const outputs = { protected: false, databases: { shop_two: { migrations: [] } } };
    expect(rest).toEqual(state({ ...stack, outputs }, provider, place, server, ...database("shop_two")));
  });

  it("keeps everything else, and does not change the original", () => {
    const rich = { ...whole, deployment: { ...whole.deployment, manifest: { version: "v3" } } };
    expect(withoutDatabases(rich, ["shop"]).deployment).toHaveProperty("manifest", { version: "v3" });
    expect(whole.deployment.resources).toHaveLength(8);
    expect(stack.outputs?.databases).toHaveProperty("shop");
  });
});
