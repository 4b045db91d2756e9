import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAnnouncements } from "../../../support/versions/announced.ts";
import { faultsOfUpgrade } from "../../../support/versions/check.ts";
import type { Deployment } from "../../../support/versions/deployment.ts";
import { judge } from "../../../support/versions/judge.ts";
import { previewRecorded } from "../../../support/versions/preview.ts";
import { readRecordedState } from "../../../support/versions/recorded-stack.ts";
import { type Clone, makeClone } from "../../clone.ts";

describe("an upgrade from the previous version", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeClone({ usersEngine: true });
  });
  afterAll(() => clone?.remove());

  it("previews only announced changes on an embedded server", async () => {
    expect(await faultsOfUpgrade(clone, "local")).toEqual([]);
  });

  it("previews only announced changes on an external server", async () => {
    expect(await faultsOfUpgrade(clone, "external")).toEqual([]);
  });

  // For a preview, a changed state looks the same as a changed program.
  it("is refused for a change that is not announced, and for data loss even if it is", async () => {
    const { previous, announced } = await readAnnouncements();
    const state = await readRecordedState(previous, "external", clone);
    const grant = recorded(state, "shop-grant-schema-shop_app");
    for (const properties of [grant.inputs, grant.outputs]) properties.privileges = ["CREATE", "USAGE"];
    const app = recorded(state, "shop-app");
    state.resources.push({ ...app, urn: app.urn.replace(/::shop-app$/, "::shop-reports") });
    const changes = await previewRecorded(clone, previous, "external", state);

    const update = "update of postgresql:index/grant:Grant shop-grant-schema-shop_app (privileges)";
    const loss = "delete of postgresql:index/role:Role shop-reports";
    const faults = judge("external", state, changes, announced);
    expect(faults.toSorted()).toEqual([
      `${loss} is not announced in CHANGELOG.md`,
      `${loss} would lose data`,
      `${update} is not announced in CHANGELOG.md`,
    ]);
    const all = changes.map(({ change, type, name }) => ({ stack: "external", change, type, name }));
    expect(judge("external", state, changes, all)).toEqual([`${loss} would lose data`]);
  });
});

function recorded(state: Deployment, name: string) {
  const resource = state.resources.find(({ urn }) => urn.endsWith(`::${name}`));
  if (resource === undefined) throw new Error(`no ${name} is recorded`);
  return resource;
}
