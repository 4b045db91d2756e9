import { describe, expect, it } from "vitest";
import { correction, observed } from "../../../../../infra/fallback-providers/postgresql/privileges.ts";

const all = ["DELETE", "INSERT", "SELECT", "UPDATE"];

describe("the correction of a role's privileges", () => {
  it("changes only what differs", () => {
    expect(correction([{ held: ["INSERT", "SELECT"], grantable: [], all }], ["SELECT", "UPDATE"], false)).toEqual({
      revoke: ["INSERT"],
      revokeGrantOption: [],
      grant: ["UPDATE"],
    });
    expect(correction([{ held: ["SELECT"], grantable: [], all }], ["SELECT"], false)).toEqual({
      revoke: [],
      revokeGrantOption: [],
      grant: [],
    });
  });

  it("grants what one of several objects lacks, and revokes what another has beyond it", () => {
    const holdings = [
      { held: ["SELECT"], grantable: [], all },
      { held: ["DELETE"], grantable: [], all },
    ];
    expect(correction(holdings, ["SELECT"], false)).toEqual({
      revoke: ["DELETE"],
      revokeGrantOption: [],
      grant: ["SELECT"],
    });
  });

  it("revokes and adds the grant option without revoking the privilege", () => {
    const holding = { held: ["SELECT"], grantable: ["SELECT"], all };
    expect(correction([holding], ["SELECT"], false)).toEqual({ revoke: [], revokeGrantOption: ["SELECT"], grant: [] });
    expect(correction([{ ...holding, grantable: [] }], ["SELECT"], true).grant).toEqual(["SELECT"]);
  });

  it("revokes everything if no privileges are declared, and supports ALL", () => {
    expect(correction([{ held: all, grantable: [], all }], [], false).revoke).toEqual(all);
    expect(correction([{ held: ["SELECT"], grantable: [], all }], ["ALL"], false).grant).toEqual([
      "DELETE",
      "INSERT",
      "UPDATE",
    ]);
  });
});

describe("the observed privileges of a role", () => {
  it("equal the declaration if every object agrees, including ALL", () => {
    const holdings = [{ held: all, grantable: [], all }];
    expect(observed(holdings, { privileges: ["ALL"] })).toEqual({ privileges: ["ALL"], withGrantOption: false });
    expect(observed([], { privileges: ["SELECT"], withGrantOption: true })).toEqual({
      privileges: ["SELECT"],
      withGrantOption: true,
    });
  });

  it("are those of the first object that differs", () => {
    const holdings = [
      { held: ["SELECT"], grantable: [], all },
      { held: ["INSERT"], grantable: ["INSERT"], all },
      { held: [], grantable: [], all },
    ];
    expect(observed(holdings, { privileges: ["SELECT"] })).toEqual({ privileges: ["INSERT"], withGrantOption: false });
  });
});
