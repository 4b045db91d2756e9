import { describeConstraints } from "../describe-constraints.ts";
import { insert } from "../table-cases.ts";
import { contentCases } from "./cases/content.ts";
import { guidanceCases } from "./cases/guidance.ts";
import { learningCases } from "./cases/learning.ts";
import { peopleCases } from "./cases/people.ts";
import { seeded } from "./cases/seeded.ts";

describeConstraints("learning", [...peopleCases, ...contentCases, ...learningCases, ...guidanceCases], {
  // An answer whose options the cases choose.
  prepare: async ({ migrator }) => {
    const { openAttempt: attempt_id, multipleChoice: question_id } = seeded;
    await insert(migrator, "attempt_answers", { attempt_id, question_id });
  },
});
