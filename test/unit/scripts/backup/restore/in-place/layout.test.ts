import { describe, expect, it } from "vitest";
import { keptCluster, parseFolders, pendingSteps } from "../../../../../../scripts/backup/restore/in-place/layout.ts";

const time = "20261129T060000Z";

/** Parses a list of folders, each with its mark after a space. */
const folders = (...lines: string[]) => parseFolders(lines.join("\n"));

describe("what a killed restore in place left", () => {
  it.each([
    ["nothing, if there are no folders", ["holder ", "live "], []],
    [
      "a cluster that was being restored: it is removed",
      ["holder host/1/2", "live ", `data.restoring-${time} `],
      [{ kind: "remove", role: "restoring", time }],
    ],
    [
      "a complete restored cluster that was not exchanged: it is removed",
      ["live ", `data.restoring-${time} ${time}`],
      [{ kind: "remove", role: "restoring", time }],
    ],
    [
      "exchanged clusters: the former one gets its name",
      [`live ${time}`, `data.restoring-${time} `],
      [{ kind: "rename", time, from: "restoring", to: "before" }],
    ],
    ["nothing, if the former cluster has its name", [`live ${time}`, `data.before-${time} `], []],
    [
      "clusters that an undo exchanged: the restored one gets its name",
      ["live ", `data.before-${time} ${time}`],
      [{ kind: "rename", time, from: "before", to: "undone" }],
    ],
    ["nothing, after an undo", ["live ", `data.undone-${time} ${time}`], []],
    [
      "a cluster that was being removed: it is removed",
      [`live ${time}`, `data.removing-${time} `],
      [{ kind: "remove", role: "removing", time }],
    ],
    [
      "a second restore, after a first one whose mark the live cluster has",
      [`live ${time}`, "data.restoring-20261130T060000Z "],
      [{ kind: "remove", role: "restoring", time: "20261130T060000Z" }],
    ],
  ])("is %s", (_what, lines, steps) => {
    expect(pendingSteps(folders(...lines))).toEqual(steps);
  });

  it("names the process of the command, and only the kept cluster of the last restore", () => {
    const found = folders(
      "holder host/1/2",
      `live ${time}`,
      "data.before-20261101T060000Z ",
      `data.before-${time} `,
      "x",
    );
    expect([found.holder, keptCluster(found)]).toEqual(["host/1/2", time]);
    expect(keptCluster(folders("live ", `data.before-${time} ${time}`))).toBeUndefined();
  });
});
