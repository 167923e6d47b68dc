// The data that gene_eval/reporting/page/data.py wrote, with results found by model and task.
const DATA = JSON.parse(document.getElementById('data').textContent);

const TABLES = DATA.tables.map((table) => {
  table.models.forEach((model, index) => Object.assign(model, { index, tasks: [] }));
  table.tasks.forEach((task, index) => Object.assign(task, { index, main: DATA.metrics[task.target].indexOf(task.metric) }));
  table.byKey = new Map();
  for (const result of table.results) {
    table.byKey.set(result.m + ' ' + result.t, result);
    table.models[result.m].tasks.push(result.t);
  }
  for (const group of table.groups) {
    group.pairs = new Map(group.p.map(([a, b, p, apart]) => [a + ' ' + b, { p, apart }]));
    group.isR2 = group.name === 'regression';
  }
  return table;
});

function resultOf(table, model, task) {
  return table.byKey.get(model.index + ' ' + task.index);
}

// {mean, std, folds} of a score, as numbers; null where it is undefined or was not run.
function readScore(score) {
  if (!score || score[0] === null) return null;
  const [mean, std, ...folds] = score.map((value) => (value === null ? null : value / DATA.unit));
  return { mean, std, folds };
}

function scoreOf(table, model, task, metric) {
  const result = resultOf(table, model, task);
  return result ? readScore(result.s[metric === undefined ? task.main : metric]) : null;
}

function labelScore(table, model, task, label) {
  const result = resultOf(table, model, task);
  return result && result.l ? readScore(result.l[label]) : null;
}

function groupMean(group, model) {
  const mean = group.means[model.index];
  return readScore(mean);
}

function groupRank(group, model) {
  const rank = group.ranks[model.index];
  return rank ? { rank: rank[0], low: rank[1], high: rank[2], mean: rank[3] / DATA.unit } : null;
}

// Whether the folds of two results can be paired: the same genes but for one in a hundred (gene_eval/analysis/pairing.py).
function canPair(task, first, second) {
  if (first.n[0] === second.n[0] && first.n[2] === second.n[2]) return true;
  const shared = Math.max(0, first.n[0] + second.n[0] - task.n);
  const most = Math.max(first.n[0], second.n[0]);
  return shared < most && shared / most >= DATA.overlap;
}

function facts(table, result) {
  const [model, probe, environment, command, created] = result.p.map((number) => table.shared[number]);
  return { model, probe, environment, command, created, scored: table.shared[result.n[2]] };
}
