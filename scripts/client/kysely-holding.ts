import { type DatabaseConnection, Kysely, type KyselyPlugin, type KyselyProps } from "kysely";

/** Runs work on a connection as work of the request that holds its client. */
export type Hold = <T>(connection: DatabaseConnection, work: () => Promise<T>) => Promise<T>;

/**
 * Kysely whose transactions and connections belong to the request that holds their client, so that its wait for a
 * second client is detected. Single statements hold nothing while other code runs.
 */
export class HoldingKysely<Database> extends Kysely<Database> {
  readonly #props: KyselyProps;
  readonly #hold: Hold;
  /** The same, with executors that take each connection in the request's name. */
  readonly #holding: Kysely<Database>;

  constructor(props: KyselyProps, hold: Hold) {
    super(props);
    this.#props = props;
    this.#hold = hold;
    const { executor } = props;
    const provider: Parameters<typeof executor.withConnectionProvider>[0] = {
      provideConnection: (consumer, options) =>
        executor.provideConnection((connection) => hold(connection, () => consumer(connection)), options),
    };
    this.#holding = new Kysely({ ...props, executor: executor.withConnectionProvider(provider) });
  }

  override transaction() {
    return this.#holding.transaction();
  }

  override connection() {
    return this.#holding.connection();
  }

  override withPlugin(plugin: KyselyPlugin): Kysely<Database> {
    return this.#with(super.withPlugin(plugin));
  }

  override withoutPlugins(): Kysely<Database> {
    return this.#with(super.withoutPlugins());
  }

  override withSchema(schema: string): Kysely<Database> {
    return this.#with(super.withSchema(schema));
  }

  #with(derived: Kysely<Database>): Kysely<Database> {
    return new HoldingKysely({ ...this.#props, executor: derived.getExecutor() }, this.#hold);
  }
}
