import type { Check } from "../check.ts";
import { findSessions, sessionProblem } from "../sessions.ts";

export const longTransaction: Check = {
  name: "long-transaction",
  title: "A transaction runs for long",
  scope: "server",
  async find(observer, { longTransactionSeconds }) {
    const { sessions, unknown } = await findSessions(
      observer,
      "state = 'active'",
      "xact_start",
      longTransactionSeconds,
    );
    const problems = sessions.map((session) =>
      sessionProblem(
        session,
        "has been in one transaction for",
        "While it runs, vacuum removes no row that was deleted since.",
      ),
    );
    return { problems, unknown };
  },
};
