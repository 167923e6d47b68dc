// The data that gene_eval/reporting/page/data.py wrote, with results found by model and task.
const DATA = JSON.parse(document.getElementById('data').textContent);

const TABLES = DATA.tables.map((table) => {
  table.models.forEach((model, index) => Object.assign(model, { index, tasks: [], records: [] }));
  for (const [model, record] of table.records) table.models[model].records.push(record);
  table.tasks.forEach((task, index) => Object.assign(task, { index, main: DATA.metrics[task.target].indexOf(task.metric), compared: DATA.metrics[task.target].indexOf(task.rankedBy) }));
  table.byKey = new Map();
  table.brief.forEach((listed, m) => listed.forEach((each) => keepResult(table, briefResult(table, m, each))));
  for (const result of table.results) keepResult(table, result);
  table.byKey.forEach((result) => table.models[result.m].tasks.push(result.t));
  for (const group of table.groups) {
    group.pairs = new Map();
    keepPairs(group, group.p);
  }
  table.unlike = new Map();
  keepUnlike(table, table.pairs, table.shared);
  return table;
});

function keepResult(table, result) {
  table.byKey.set(result.m * table.tasks.length + result.t, result);
}

// Of a page in parts: what lists show of a result whose part is not there yet.
function briefResult(table, m, [t, scored, missing, small, rescaled, main, compared]) {
  const result = { m, t, n: [scored, missing], s: [] };
  const task = table.tasks[t];
  result.s[task.compared] = compared;
  result.s[task.main] = main;
  if (small) result.small = true;
  if (rescaled !== null) result.r = rescaled;
  return result;
}

function keepPairs(group, pairs) {
  for (const [a, b, p, apart, alone] of pairs) group.pairs.set(a + ' ' + b, { p, apart, alone });
}

function keepUnlike(table, pairs, shared) {
  for (const [a, b, task, kind, n, ...folds] of pairs) table.unlike.set([a, b, task].join(' '), kind ? [kind, n, ...folds] : ['', shared[n]]);
}

function resultOf(table, model, task) {
  return table.byKey.get(model.index * table.tasks.length + task.index);
}

function resultsOf(table, model, tasks) {
  return tasks.map((index) => resultOf(table, model, table.tasks[index])).filter(Boolean);
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

// (score - best control) / (1 - best control); null where there is none.
function rescaledOf(result) {
  return result.r === undefined ? null : result.r / DATA.unit;
}

// {model, score, detectable} of the best control of a task; null where there is none.
function controlOf(table, task) {
  if (!task.control) return null;
  const [model, score, detectable] = task.control;
  return { model: table.models[model], score: score / DATA.unit, detectable: detectable === null ? null : detectable / DATA.unit };
}

// The mean of a score; null where there is none.
function meanOf(score) {
  return score ? score.mean : null;
}

function groupMean(group, model) {
  return readScore(group.means[model.index]);
}

function groupRank(group, model) {
  const rank = group.ranks[model.index];
  return rank ? { rank: rank[0], low: rank[1], high: rank[2], mean: rank[3] / DATA.unit, error: rank[4] === null ? null : rank[4] / DATA.unit } : null;
}

// {p, apart, alone} of two models over the tasks of a group, `alone` the p-value of these two alone; p is null where it
// could not be tested.
function groupPair(group, a, b) {
  return group.pairs.get(Math.min(a.index, b.index) + ' ' + Math.max(a.index, b.index)) || { p: null, apart: false, alone: null };
}

// What tasks are about: 'gene', or 'entity' where that differs.
function entityOf(table, tasks) {
  const entities = new Set(tasks.map((index) => table.tasks[index].entity));
  return entities.size === 1 ? words([...entities][0]) : 'entity';
}

function metricName(metric) {
  return { r2: 'R2', spearman: 'Spearman’s rank correlation' }[metric] || 'ROC-AUC';
}

// What of a task is compared for two models: {x, y, n}, the scores and how many entities they are of, or {reason} why
// nothing is (gene_eval/analysis/pairing.py).
function pairOf(table, a, b, task) {
  const isTurned = table.unlike.has([b.index, a.index, task.index].join(' '));
  const unlike = table.unlike.get((isTurned ? [b.index, a.index, task.index] : [a.index, b.index, task.index]).join(' '));
  if (task.apart && task.apart[a.index] !== task.apart[b.index]) return { reason: DATA.apart };
  const [kind, n, first, second] = unlike || ['same', resultOf(table, a, task).n[0]];
  if (!kind) return { reason: n };
  if (kind !== 'shared') return { x: scoreOf(table, a, task, task.compared), y: scoreOf(table, b, task, task.compared), n };
  const [x, y] = (isTurned ? [second, first] : [first, second]).map(scoreOfFolds);
  return { x, y, n };
}

function scoreOfFolds(scaled) {
  const folds = scaled.map((value) => (value === null ? null : value / DATA.unit));
  const known = folds.filter((value) => value !== null);
  if (!known.length) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return { mean, std: Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length), folds };
}

// Values that many results share: those of its part, or of the page.
function sharedOf(table, result) {
  return result.shared || table.shared;
}

function facts(table, result) {
  const shared = sharedOf(table, result);
  const [model, probe, environment, command, created] = result.p.map((number) => shared[number]);
  return { model, probe, environment, command, created, scored: shared[result.n[2]] };
}
