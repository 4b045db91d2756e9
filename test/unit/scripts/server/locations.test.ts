import { describe, expect, it } from "vitest";
import { dataHome, serverDirectory, serverFolder } from "../../../../scripts/server/locations.ts";

describe("the folder of servers and binaries", () => {
  it("is below XDG_DATA_HOME if that is set, also for root", () => {
    expect(dataHome({ XDG_DATA_HOME: "/data", HOME: "/home/ann" }, 1000)).toBe("/data/pgroundwork");
    expect(dataHome({ XDG_DATA_HOME: "/data" }, 0)).toBe("/data/pgroundwork");
  });

  it("is below the user's own data folder otherwise", () => {
    expect(dataHome({ HOME: "/home/ann" }, 1000)).toBe("/home/ann/.local/share/pgroundwork");
    expect(dataHome({ HOME: "/home/ann", XDG_DATA_HOME: "" }, undefined)).toBe("/home/ann/.local/share/pgroundwork");
  });

  it("is not below root's home, which the server's account cannot read", () => {
    expect(dataHome({ HOME: "/root" }, 0)).toBe("/var/lib/pgroundwork");
  });
});

describe("the folder of a stack's server", () => {
  it("differs from that of every other stack, project and project directory", () => {
    const folder = serverFolder("/data/pgroundwork", "/work/one", "shop", "local");
    expect(folder).toMatch(/^\/data\/pgroundwork\/servers\/shop-local-[0-9a-f]{8}$/);
    expect(serverFolder("/data/pgroundwork", "/work/one", "shop", "local")).toBe(folder);
    const others = [
      serverFolder("/data/pgroundwork", "/work/two", "shop", "local"),
      serverFolder("/data/pgroundwork", "/work/one", "shop", "dev"),
      serverFolder("/data/pgroundwork", "/work/one", "store", "local"),
    ];
    expect(new Set([folder, ...others]).size).toBe(4);
  });

  it("differs from that of every other server of the stack", () => {
    const of = (stack: string, server?: string) => serverFolder("/data", "/work/one", "shop", stack, server);
    const folders = [of("a"), of("a", "b-c"), of("a-b", "c"), of("a", "b/c"), of("a", "b_c")];
    expect(new Set(folders).size).toBe(5);
    for (const folder of folders) expect(folder).toMatch(/^\/data\/servers\/[\w.-]+$/);
  });

  it("has separate folders for data and log", () => {
    expect(serverDirectory("/x")).toEqual({ data: "/x/data", log: "/x/log" });
  });
});
