import { md5Uuid, numbered } from "../../table-cases.ts";

/** Ids of seeded rows. */
export const seeded = {
  admin: numbered("20000000", 1),
  instructor: numbered("20000000", 2),
  lena: numbered("20000000", 3),
  leo: numbered("20000000", 4),
  /** Has done nothing yet. */
  newcomer: numbered("20000000", 5),
  course: md5Uuid("course:fractions-from-the-start"),
  otherCourse: md5Uuid("course:python-first-steps"),
  /** Lessons of the course that Leo has not opened. */
  lesson: md5Uuid("lesson:fractions-from-the-start:adding"),
  otherLesson: md5Uuid("lesson:fractions-from-the-start:multiplying"),
  /** In progress. */
  enrolment: numbered("30000000", 3),
  topic: md5Uuid("topic:algebra"),
  otherTopic: md5Uuid("topic:geometry"),
  quiz: md5Uuid("assessment:fractions-quiz"),
  exam: md5Uuid("assessment:python-exam"),
  draft: md5Uuid("assessment:data-structures-quiz"),
  styleAssessment: md5Uuid("assessment:learning-style"),
  /** Questions of the quiz. Leo's open attempt answers the single choice, but not the others. */
  singleChoice: md5Uuid("question:fractions-half"),
  multipleChoice: md5Uuid("question:fractions-larger"),
  trueFalse: md5Uuid("question:fractions-denominator"),
  numeric: md5Uuid("question:fractions-sum"),
  shortText: md5Uuid("question:fractions-name"),
  /** A question of the exam whose answer waits for a grade. */
  essay: md5Uuid("question:python-explain"),
  openAttempt: numbered("32000000", 8),
  submittedAttempt: numbered("32000000", 7),
  /** Graded: 6 of 7 points. */
  gradedAttempt: numbered("32000000", 4),
  conversation: numbered("36000000", 1),
};

/** Returns the id of option `n` of a dev question. */
export const option = (question: string, n: number) => md5Uuid(`option:${question}:${n}`);
