import { describePoints } from "../../../../docker/scripts/backup/restore/describe-points.ts";

describePoints(true);
