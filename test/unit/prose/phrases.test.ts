import { describe, expect, it } from "vitest";
import { phrasesIn } from "../../prose/phrases.ts";

describe("the check of phrases", () => {
  it.each([
    ["-- Enter the way back here", "way back", "down migration"],
    ["migrate gave way to a session", "gave way", "lock timeout, retrying"],
    ["what Stands beside the server", "Stands beside", "sidecar"],
    ["`up` takes it back", "takes it back", "recovers"],
    ["where there is none, use the default", "where there is none", "if there is none"],
    ["nobody can tell", "nobody can tell", "is unknown"],
  ])("reports %o with its line and a plain phrase", (text, found, instead) => {
    expect(phrasesIn(`plain\n${text}\n`)).toEqual([{ line: 2, message: `"${found}" is hard to read: ${instead}` }]);
  });

  it("accepts the words of these phrases on their own", () => {
    expect(phrasesIn("A backup is on its way. It gives back memory. Stand by. Take it. Come in two steps.\n")).toEqual(
      [],
    );
  });
});
