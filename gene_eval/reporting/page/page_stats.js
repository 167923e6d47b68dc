// The same tests as gene_eval/core/statistics/paired_tests.py; a test holds the two together.

// Two-sided p-value of Student's t; closed forms for whole degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4).
function tTestP(t, df) {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(df));
  const cos = Math.cos(angle);
  let term = df % 2 ? cos : 1;
  let sum = df === 1 ? 0 : term;
  for (let k = df % 2 ? 3 : 2; k < df; k += 2) {
    term *= ((k - 1) / k) * cos * cos;
    sum += term;
  }
  const inside = df % 2 ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.max(0, Math.min(1, 1 - inside));
}

// Nadeau and Bengio's corrected t-test over the folds in which both scores are defined.
function correctedTest(a, b) {
  const differences = [];
  a.forEach((value, fold) => {
    if (value !== null && b[fold] !== null && b[fold] !== undefined) differences.push(value - b[fold]);
  });
  const n = differences.length;
  const mean = n ? differences.reduce((sum, d) => sum + d, 0) / n : null;
  const unknown = { difference: mean, low: null, high: null, p: null, n };
  if (n < 2) return unknown;
  if (Math.max(...differences) - Math.min(...differences) < 1e-9) {
    return Math.abs(mean) < 1e-9 ? { difference: 0, low: 0, high: 0, p: 1, n } : unknown;
  }
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1);
  // Of F folds each holds 1/F of the rows, whether or not all of them are defined.
  const error = Math.sqrt((1 / n + 1 / Math.max(a.length - 1, 1)) * variance);
  const margin = DATA.critical[n - 1] * error;
  return { difference: mean, low: mean - margin, high: mean + margin, p: tTestP(mean / error, n - 1), n };
}

// Holm's adjustment; null is not counted.
function holm(values) {
  const order = values.map((p, index) => index).filter((index) => values[index] !== null);
  order.sort((i, j) => values[i] - values[j] || i - j);
  const adjusted = values.map(() => null);
  let largest = 0;
  order.forEach((index, position) => {
    largest = Math.max(largest, Math.min(1, values[index] * (order.length - position)));
    adjusted[index] = largest;
  });
  return adjusted;
}
