import Table from "cli-table3";
import { style } from "./output.ts";

/** Formats rows under a heading, aligned by spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = "";
  const chars = [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ];
  const drawn = new Table({
    head: head.map((title) => style("dim", title)),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    chars: { ...Object.fromEntries(chars.map((place) => [place, none])), middle: "  " },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
