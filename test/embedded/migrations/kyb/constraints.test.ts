import { describeConstraints } from "../describe-constraints.ts";
import { insert } from "../table-cases.ts";
import { activityCases } from "./cases/activity.ts";
import { businessCases } from "./cases/businesses.ts";
import { peopleCases } from "./cases/people.ts";
import { seeded, unknown } from "./cases/seeded.ts";

describeConstraints("kyb", [...peopleCases, ...businessCases, ...activityCases], {
  prepare: async ({ migrator }) => {
    for (const id of unknown) {
      await insert(migrator, "businesses", {
        id,
        legal_name: "Unknown Ltd",
        registration_country: "GB",
        registration_number: id.toUpperCase().slice(0, 8),
        legal_form: "other",
        country_code: "GB",
        created_by: seeded.test,
      });
    }
  },
});
