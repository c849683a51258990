/** For how long a worker that has work has said nothing, though nobody owes it anything. */
export type Silence = {
  /** It said something, and whether that was a question, which it may wait upon for as long as the answer takes. */
  readonly heard: (what: "question" | "other") => void;
  /** It was given the answer to a question. */
  readonly answered: () => void;
  /** Time went by. Answers whether it has now been silent for too long. */
  readonly pass: () => boolean;
};

/**
 * Counts in turns of the thread that listens, not on a clock: while that thread itself stood still, nothing could be heard.
 * `most` turns in which nothing was said are too many.
 */
export const createSilence = (most: number): Silence => {
  let [turns, owed] = [0, 0];
  return {
    heard: (what) => {
      turns = 0;
      if (what === "question") owed += 1;
    },
    answered: () => {
      turns = 0;
      owed -= 1;
    },
    pass: () => {
      if (owed === 0) turns += 1;
      return turns >= most;
    },
  };
};
