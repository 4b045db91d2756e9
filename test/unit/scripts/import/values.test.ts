import { v5 } from "uuid";
import { describe, expect, it } from "vitest";
import { recordedValue } from "../../../../scripts/import/convert.ts";
import { codecFor } from "../../../../scripts/import/values/codec.ts";
import {
  DecimalSum,
  fitDecimal,
  isDouble,
  plainDecimal,
  shiftDecimal,
} from "../../../../scripts/import/values/decimal.ts";
import { parseJson } from "../../../../scripts/import/values/json-parser.ts";
import { jsonbText } from "../../../../scripts/import/values/json-text.ts";
import { uuidMaker } from "../../../../scripts/import/values/key-uuid.ts";
import { printable, shorten, shown } from "../../../../scripts/import/values/shown.ts";
import {
  formatMicros,
  microsOfNumber,
  microsOfText,
  type TimestampFormat,
} from "../../../../scripts/import/values/timestamp.ts";
import { Problem, type Value } from "../../../../scripts/import/values/value.ts";

const reasonOf = (value: unknown) => (value instanceof Problem ? value.reason : value);

describe("decimals", () => {
  it.each([
    ["1e2", "100"],
    ["-1.5E-3", "-0.0015"],
    [".5", "0.5"],
    ["007.10", "7.10"],
    ["-0", "0"],
    ["-0.00", "0.00"],
    ["12.", "12"],
    ["123456789012345678901234567890.1", "123456789012345678901234567890.1"],
    ["1.25e1", "12.5"],
    ["", undefined],
    [".", undefined],
    ["1,5", undefined],
    ["0x10", undefined],
  ])("%s is written as %s", (text, expected) => expect(plainDecimal(text)).toBe(expected));

  it.each([
    ["1.5", 5, 2, "1.50"],
    ["-0.004", 5, 2, "-0.004 has more than 2 fraction digits: numeric(5,2) would round it"],
    ["999.99", 5, 2, "999.99"],
    ["1000", 5, 2, "1000 is too large for numeric(5,2)"],
    ["-0.000", 5, 2, "0.00"],
    ["5", 1, 0, "5"],
    ["0", 2, 2, "0.00"],
    ["0.5", 2, 2, "0.50"],
    ["10", 4, 2, "10.00"],
    ["100", 4, 2, "100 is too large for numeric(4,2)"],
  ])("%s in numeric(%i,%i) is %s", (text, precision, scale, expected) =>
    expect(reasonOf(fitDecimal(text, precision, scale))).toBe(expected),
  );

  it.each([
    ["0.1", true],
    ["0.10000000000000001", true],
    ["0.10000000000000000555", true],
    ["-1.7976931348623157e308", true],
    ["5e-324", true],
    ["123456789012345680000", true],
    ["-0.0", true],
    ["5.684341886080801e-14", true],
    ["9007199254740993", false],
    ["9007199254740993.0", false],
    ["0.123456789012345678", false],
    ["12345678901234567890.123456789", false],
    ["1e-400", false],
    ["4.93e-324", false],
    ["1e400", false],
  ])("%s stands for a double: %s", (text, expected) => expect(isDouble(text, Number(text))).toBe(expected));

  it("are shifted and added without rounding", () => {
    expect([shiftDecimal("1999", -2), shiftDecimal("-5", -2), shiftDecimal("1.005", 2)]).toEqual([
      "19.99",
      "-0.05",
      "100.5",
    ]);
    const sum = new DecimalSum();
    for (const text of ["0.1", "0.2", "-1.005", "9007199254740993"]) sum.add(text);
    expect(sum.text).toBe("9007199254740992.295");
    const negative = new DecimalSum();
    for (const text of ["-0.25", "0.20"]) negative.add(text);
    expect(negative.text).toBe("-0.05");
  });

  it("are added exactly in any number and length", () => {
    const sum = new DecimalSum();
    for (let count = 0; count < 20_000; count++) sum.add("9999999999.9");
    for (const text of ["0.01", "-9999999999.9", "123456789012345678901234567890"]) sum.add(text);
    const tenths = 19_999n * 99_999_999_999n + 1_234_567_890_123_456_789_012_345_678_900n;
    expect(sum.text).toBe(`${tenths / 10n}.${tenths % 10n}1`);
  });
});

describe("times", () => {
  const parse = (text: string, format: TimestampFormat = {}) => {
    const micros = microsOfText(text, format);
    return micros instanceof Problem ? micros.reason : formatMicros(micros);
  };

  it.each([
    ["2024-01-02 03:04:05", "2024-01-02 03:04:05"],
    ["2024-01-02T03:04:05.120000Z", "2024-01-02 03:04:05.12"],
    ["2024-01-02T03:04:05+05:30", "2024-01-01 21:34:05"],
    ["2024-01-02", "2024-01-02 00:00:00"],
    ["0099-01-02 00:00:00", "0099-01-02 00:00:00"],
    ["1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"],
    ["2024-01-02 03:04:05+15:59", "2024-01-01 11:05:05"],
    ["2024-01-02 03:04:05+25:00", '"2024-01-02 03:04:05+25:00" has an offset from UTC that no time zone has'],
    ["2024-01-02 03:04:05-0160", '"2024-01-02 03:04:05-0160" has an offset from UTC that no time zone has'],
    ["2024-02-30", '"2024-02-30" is not a time of the calendar'],
    ["2024-01-02 24:00:00", '"2024-01-02 24:00:00" has hour 24, which PostgreSQL would turn into the next day'],
    [
      "2024-01-02 03:04:05.1234567",
      '"2024-01-02 03:04:05.1234567" has more than 6 fraction digits: PostgreSQL would round it',
    ],
    ["yesterday", '"yesterday" is not a time in a known spelling'],
    ["02/03/2024", '"02/03/2024" does not say which is the day and which the month: set "order" in the map'],
  ])("%s is read as %s", (text, expected) => expect(parse(text)).toBe(expected));

  it("uses the order and the zone of the map, and refuses times that the zone skips or has twice", () => {
    expect(parse("02.03.2024 10:00", { order: "dmy" })).toBe("2024-03-02 10:00:00");
    expect(parse("2/3/2024", { order: "mdy" })).toBe("2024-02-03 00:00:00");
    expect(parse("2024-07-01 12:00:00", { zone: "Europe/Berlin" })).toBe("2024-07-01 10:00:00");
    expect(parse("2024-03-31 02:30:00", { zone: "Europe/Berlin" })).toContain("does not exist in Europe/Berlin");
    expect(parse("2024-10-27 02:30:00", { zone: "Europe/Berlin" })).toContain("exists twice in Europe/Berlin");
  });

  it("are written for years 1 to 9999, before 1970, too", () => {
    expect([-1n, -1_000_000n, -86_400_000_001n, 0n].map(formatMicros)).toEqual([
      "1969-12-31 23:59:59.999999",
      "1969-12-31 23:59:59",
      "1969-12-30 23:59:59.999999",
      "1970-01-01 00:00:00",
    ]);
    expect([-62_135_596_800_000_000n, 253_402_300_799_999_999n].map(formatMicros)).toEqual([
      "0001-01-01 00:00:00",
      "9999-12-31 23:59:59.999999",
    ]);
    expect(formatMicros(253_402_300_800_000_000n)).toBeInstanceOf(Problem);
  });

  it("takes the unit of a number from its size, unless it could be several", () => {
    const moment = 1_704_164_645_000_000n;
    expect(microsOfNumber("1704164645", {})).toBe(moment);
    expect(microsOfNumber("1704164645000", {})).toBe(moment);
    expect(microsOfNumber("1704164645.000001", {})).toBe(moment + 1n);
    expect(reasonOf(microsOfNumber("100000000", {}))).toContain('set "unit" in the map');
    expect(microsOfNumber("100000000", { unit: "milliseconds" })).toBe(100_000_000_000n);
    expect(reasonOf(microsOfNumber("1704164645.0000001", { unit: "seconds" }))).toContain("finer than a microsecond");
    const seconds = ["315532800", "4102444799"];
    for (const [zeros, factor] of [
      ["", 1_000_000n],
      ["000", 1_000n],
      ["000000", 1n],
    ] as const)
      for (const text of seconds) expect(microsOfNumber(text + zeros, {})).toBe(BigInt(text + zeros) * factor);
    for (const text of ["315532799", "4102444800", "315532799999", "4102444800000000"])
      expect(reasonOf(microsOfNumber(text, {}))).toContain('set "unit" in the map');
  });
});

describe("values that are longer than a text can be", () => {
  const type = { name: "bytea", base: "bytea" };
  it("are a problem, and are recorded in part", () => {
    const blob = new Uint8Array(270_000_000);
    const written = codecFor(type, {}, { count: () => {} }).write(blob);
    expect(reasonOf(written)).toContain("a blob of 270000000 bytes is larger than the import can write");
    expect(recordedValue(blob)).toEqual({ begins: { hex: "00".repeat(1_000) }, length: 270_000_000 });
    expect(recordedValue(new Uint8Array(3))).toEqual({ hex: "000000" });
  });
});

describe("keys", () => {
  it("are the UUIDs that version 5 prescribes, for names of any length", () => {
    const namespace = "9b2cbf1a-3c34-4f43-8a4e-0c1f6f1c2a11";
    const makeUuid = uuidMaker(namespace);
    for (const name of ["user:1", "", "Grüße 世界 🌍", "x".repeat(5_000), "user:1"])
      expect(makeUuid(name)).toBe(v5(name, namespace));
  });
});

describe("JSON", () => {
  it.each([
    [
      '{"bb":1,"a":[1.50,1e3,true,null,"\\u00e9\\n"],"c":{}}',
      '{"a": [1.50, 1000, true, null, "é\\n"], "c": {}, "bb": 1}',
    ],
    ["-0.0", "0.0"],
    ["[]", "[]"],
  ])("%s is written as %s", (text, expected) => expect(jsonbText(parseJson(text) as Value)).toBe(expected));

  it.each([
    ['{"a":1,"a":1}', 'the name "a" occurs twice in one object (byte 10, line 1)'],
    ['{"a":\n[1,]}', '"]" is no value (byte 9, line 2, path .a[1])'],
    ["[1 2]", 'expected "," or "]" (byte 3, line 1)'],
    ['"a', "the text ends within a string (byte 2, line 1)"],
    ["Infinity", '"Infinity" is no value (byte 0, line 1)'],
    ["01", "text after the value (byte 1, line 1)"],
    ['"\\x"', "unknown escape \\x (byte 1, line 1)"],
    ["{} {}", "text after the value (byte 3, line 1)"],
    ["", "the text ends before its value (byte 0, line 1)"],
  ])("%s is refused", (text, expected) => expect(reasonOf(parseJson(text))).toBe(expected));
});

describe("texts that are shown", () => {
  it.each([
    ["plain, Größe 世界 🌍", "plain, Größe 世界 🌍"],
    ["\u001b[2J\r\n\t\u007f\u0085", "\\u001b[2J\\r\\n\\t\\u007f\\u0085"],
    ["\u202eevil\u2028\u200b\ufeff\u{e0041}", "\\u202eevil\\u2028\\u200b\\ufeff\\u{e0041}"],
    ["\ud800", "\\ud800"],
    ["back\\slash", "back\\slash"],
  ])("%j is %s", (text, expected) => expect(printable(text)).toBe(expected));

  it("are cut without splitting a character or an escape, and stay as they are when they are shown again", () => {
    for (const text of [
      "x".repeat(120),
      "x".repeat(121),
      "🌍".repeat(80),
      "\u001b".repeat(40),
      `${"x".repeat(118)}\n\n`,
    ]) {
      const once = shown(text);
      expect(once.length).toBeLessThanOrEqual(120);
      expect([once.isWellFormed(), shown(once)]).toEqual([true, once]);
    }
    expect(shown("x".repeat(120))).toBe("x".repeat(120));
    expect(shown("\u001b".repeat(40))).toBe(`${"\\u001b".repeat(19)}…`);
    expect(shorten("🌍".repeat(40), 5)).toBe("🌍🌍…");
  });
});
