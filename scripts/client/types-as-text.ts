import pg, { type CustomTypesConfig } from "pg";

/** The driver's parser of arrays, which its types do not declare. */
interface ArrayParser {
  create(text: string, parseItem: (item: string) => unknown): { parse(): unknown };
}

const { arrayParser } = pg.types as unknown as { arrayParser: ArrayParser };

const asText = (text: string) => text;
const textArray = (text: string) => arrayParser.create(text, asText).parse();

/**
 * Types whose JavaScript value would lose something, by their oid: a Date has milliseconds and a time zone, a number 53
 * bits. They are returned as the server's text.
 */
const textTypes = new Map<number, (text: string) => unknown>([
  [20, asText], // int8
  [1082, asText], // date
  [1083, asText], // time
  [1114, asText], // timestamp
  [1184, asText], // timestamptz
  [1186, asText], // interval
  [1266, asText], // timetz
  [1700, asText], // numeric
  [790, asText], // money
  [1016, textArray], // int8[]
  [1115, textArray], // timestamp[]
  [1182, textArray], // date[]
  [1183, textArray], // time[]
  [1185, textArray], // timestamptz[]
  [1187, textArray], // interval[]
  [1231, textArray], // numeric[]
  [1270, textArray], // timetz[]
  [791, textArray], // money[]
  [600, asText], // point
  [718, asText], // circle
]);

/** Type parsers of the pool's clients. The global ones of the driver stay as they are. */
export const exactTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    const parser = format === "binary" ? undefined : textTypes.get(oid);
    return parser ?? pg.types.getTypeParser(oid, format as "text");
  }) as CustomTypesConfig["getTypeParser"],
};
