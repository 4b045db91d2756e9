import type { ExpressionNode, GenerateOptions, PostgresAdapter } from "kysely-codegen";

/** The generator's module, which its caller has loaded. */
export type Generator = typeof import("kysely-codegen");

/** The generator's description of a database. */
export type Metadata = Awaited<ReturnType<NonNullable<GenerateOptions["postprocess"]>>>;

/** The part of a column that decides its type. */
interface TypedColumn {
  dataType: string;
  enumValues: string[] | null;
  isArray: boolean;
  isNullable: boolean;
}

/** Changes the generator's types to the values that the pool returns and accepts. */
export function adjustTypes(generator: Generator, adapter: PostgresAdapter): void {
  const { ColumnTypeNode, ExtendsClauseNode, IdentifierNode, InferClauseNode, TemplateNode, UnionExpressionNode } =
    generator;
  const id = (name: string) => new IdentifierNode(name);
  const union = (...names: string[]) => new UnionExpressionNode(names.map(id));
  const written = (read: string, ...accepted: string[]) =>
    new ColumnTypeNode(id(read), union(...accepted), union(...accepted));
  const computed = (read: ExpressionNode) => new ColumnTypeNode(read, id("never"), id("never"));
  Object.assign(adapter.definitions, {
    Timestamp: written("string", "Date", "string"),
    Json: new ColumnTypeNode(id("JsonValue"), id("string"), id("string")),
    // The driver writes a JavaScript array as an array of PostgreSQL, so JSON arrays are passed as text.
    JsonArrayColumn: new ColumnTypeNode(id("JsonArray"), id("string"), id("string")),
    JsonObjectColumn: written("JsonObject", "JsonObject", "string"),
    Computed: new TemplateNode(
      ["T"],
      new ExtendsClauseNode(
        id("T"),
        new ColumnTypeNode(new InferClauseNode("S"), new InferClauseNode("_I"), new InferClauseNode("_U")),
        computed(id("S")),
        computed(id("T")),
      ),
    ),
  });
  Object.assign(adapter.scalars, {
    // A Date has a time zone, which would move the day.
    date: id("string"),
    interval: id("string"),
    point: id("string"),
    circle: id("string"),
    json_array: id("JsonArrayColumn"),
    json_object: id("JsonObjectColumn"),
  });
}

/** Returns the type of a column that the server computes: it can be read, and not written. */
export function computedType(generator: Generator, adapter: PostgresAdapter, column: TypedColumn): ExpressionNode {
  const { ArrayExpressionNode, GenericExpressionNode, IdentifierNode, LiteralNode, UnionExpressionNode } = generator;
  const scalars: Readonly<Record<string, ExpressionNode | undefined>> = adapter.scalars;
  const scalar = scalars[column.dataType] ?? adapter.defaultScalar;
  const value =
    column.enumValues === null
      ? scalar
      : new UnionExpressionNode(column.enumValues.map((each) => new LiteralNode(each)));
  const item = column.isArray ? new ArrayExpressionNode(value) : value;
  const node = column.isNullable ? new UnionExpressionNode([item, new IdentifierNode("null")]) : item;
  column.isNullable = false;
  return new GenericExpressionNode("Computed", [node]);
}
