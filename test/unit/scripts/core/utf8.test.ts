import { describe, expect, it } from "vitest";
import { decodeUtf8 } from "../../../../scripts/core/utf8.ts";

describe("a text file", () => {
  it.each([
    ["empty", Buffer.alloc(0)],
    ["of ASCII", Buffer.from("select 1;\n")],
    ["of characters of up to four bytes, with U+FFFD itself", Buffer.from("ä€😀\uFFFD\uFEFF")],
  ])("%s is read as it is", (_, content) => {
    expect(decodeUtf8(content)).toEqual({ text: content.toString(), fault: undefined });
  });

  const latin1 = Buffer.from("-- one\nselect 'caf\u00e9';\n", "latin1");
  it.each<[string, Buffer, string]>([
    ["with a byte order mark", Buffer.from("\uFEFFselect 1;"), "it begins with a byte order mark; save it as UTF-8"],
    ["of Latin-1", latin1, "it is not UTF-8: byte 0xE9 at byte offset 18 (line 2); save it as UTF-8"],
    ["that ends within a character", Buffer.from("a€").subarray(0, 3), "byte 0xE2 at byte offset 1 (line 1)"],
    ["whose fault begins like U+FFFD", Buffer.from([0x61, 0xef, 0xbf, 0x41]), "byte 0xEF at byte offset 1 (line 1)"],
    ["with a surrogate", Buffer.from([0x61, 0xed, 0xa0, 0x80]), "byte 0xED at byte offset 1 (line 1)"],
    ["of UTF-16", Buffer.from("\uFEFFselect 1;", "utf16le"), "byte 0xFF at byte offset 0 (line 1), as in UTF-16"],
    ["with a NUL byte", Buffer.from("select\n\0 1;"), "it contains a NUL byte (0x00) at byte offset 7 (line 2)"],
  ])("%s has a fault with its first byte, offset and line", (_, content, expected) => {
    expect(decodeUtf8(content).fault).toContain(expected);
  });
});
