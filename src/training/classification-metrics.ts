export interface ClassificationMetrics {
  readonly accuracy: number;
  /** Means over the classes that occur as a label or a guess. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Fraction of the most common label: the accuracy of always guessing it. */
  readonly majority: number;
}

/**
 * Accuracy, and precision, recall and F1 macro-averaged as scikit-learn does (0 where a class has no guess or no
 * label).
 */
export function classificationMetrics(
  guesses: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): ClassificationMetrics {
  const hits = new Float64Array(classes);
  const guessed = new Float64Array(classes);
  const actual = new Float64Array(classes);
  for (let i = 0; i < labels.length; i++) {
    const [guess, label] = [guesses[i] as number, labels[i] as number];
    guessed[guess] = (guessed[guess] as number) + 1;
    actual[label] = (actual[label] as number) + 1;
    if (guess === label) hits[label] = (hits[label] as number) + 1;
  }
  const present = [...actual.keys()].filter((id) => (actual[id] as number) + (guessed[id] as number) > 0);
  const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const mean = (of: (id: number) => number): number =>
    ratio(
      present.reduce((sum, id) => sum + of(id), 0),
      present.length,
    );
  return {
    accuracy: ratio(
      hits.reduce((a, b) => a + b, 0),
      labels.length,
    ),
    precision: mean((id) => ratio(hits[id] as number, guessed[id] as number)),
    recall: mean((id) => ratio(hits[id] as number, actual[id] as number)),
    f1: mean((id) => ratio(2 * (hits[id] as number), (guessed[id] as number) + (actual[id] as number))),
    majority: ratio(Math.max(...actual), labels.length),
  };
}
