import { dirname, isAbsolute, join } from "node:path";
import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";
import { inTime } from "../in-time.ts";
import type { ErrorCounts } from "../logged-errors.ts";
import { ownDataDirectory } from "./host.ts";

export const errors: Collector<ErrorCounts> = {
  name: "errors",
  needs: "the data directory",
  async collect(observer, { errorLog, readErrors }) {
    if (readErrors !== undefined) return inTime("the Docker engine", readErrors());
    if (errorLog === undefined) throw new NotKnown("errors are counted only while pgw health serve runs");
    const [row] = await observer.query<{ file: string | null }>("select pg_current_logfile('jsonlog') as file");
    if (row === undefined || row.file === null)
      throw new NotKnown("the server writes no JSON log: log_destination lacks jsonlog");
    const folder = dirname(row.file);
    const data = await ownDataDirectory(observer);
    try {
      return await errorLog.read(isAbsolute(folder) ? folder : join(data, folder));
    } catch (error) {
      throw new NotKnown(`the server's log cannot be read: ${(error as Error).message}`);
    }
  },
};
