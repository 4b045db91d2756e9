import { describe, expect, it } from "vitest";
import { announcementsIn, readAnnouncements } from "../../../support/versions/announced.ts";

function changelog(...rows: string[]): string {
  return `# Changelog

## [Unreleased]

### Added

- Something.

### Changed resources

| stacks | type | names | change | why |
| --- | --- | --- | --- | --- |
${rows.map((row) => `${row}\n`).join("")}
### Fixed

- | not | a | row | of | it |

## [0.3.0] - 2027-02-01

### Changed resources

| stacks | type | names | change | why |
| --- | --- | --- | --- | --- |
| local | \`a:b:C\` | \`c\` | update | Of an earlier version. |

## [0.2.0] - 2027-01-01
`;
}

describe("the table of changed resources in CHANGELOG.md", () => {
  it("is read by stack and name, for the unreleased version only", () => {
    const row =
      "| dev, staging | `docker:index/container:Container` | `a`, `<database>-b` | replace | A sentence, why. |";
    const expected = ["dev", "staging"].flatMap((stack) =>
      ["a", "shop-b"].map((name) => ({ stack, type: "docker:index/container:Container", name, change: "replace" })),
    );
    expect(announcementsIn(changelog(row))).toEqual({ previous: "0.3.0", announced: expected });
  });

  it("can be empty", () => {
    expect(announcementsIn(changelog()).announced).toEqual([]);
  });

  it("is refused in another form, with the error of each row", () => {
    const rows = [
      "| dav | `a:b:C` | `c` | update | Why. |",
      "| dev | `a:b:C` | `c` | change | Why. |",
      "| dev | `a:b:C` | `c` | update | |",
      "| dev | `a:b:C` | | update | Why. |",
      "| dev | `a:b:C` | `c` | update |",
    ];
    expect(() => announcementsIn(changelog(...rows))).toThrow(
      [
        "CHANGELOG.md announces changes in a form that cannot be read:",
        `${rows[0]}\n  "dav" is not one of local, dev, staging, external`,
        `${rows[1]}\n  "change" is not one of create, update, replace, delete, same`,
        `${rows[2]}\n  it does not say why`,
        `${rows[3]}\n  it names no resource`,
        `${rows[4]}\n  it has 4 cells instead of 5`,
      ].join("\n"),
    );
  });

  it("is readable in this project", async () => {
    const { previous } = await readAnnouncements();
    expect(previous).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
