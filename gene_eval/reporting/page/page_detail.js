// One task, one of its labels, one model, and where all numbers come from.

const RESCALED = '(score - best control) / (1 - best control), by the main metric: the share of what the best control leaves.';

function taskView(table, name) {
  const task = table.tasks.find((each) => each.name === name);
  if (!task) return missing('task', name);
  const metrics = DATA.metrics[task.target];
  const metric = Math.max(0, metrics.indexOf(state.query.get('metric') || task.metric));
  const change = (event) => choose('metric', event.target.value === task.metric ? '' : event.target.value);
  const chooser = el('select', { id: 'metric', 'aria-label': 'Metric', onchange: change }, metrics.map((each, index) => el('option', { value: each, selected: index === metric }, each)));
  const signs = [...(task.ranked ? [] : [sign('not ranked')]), ...(task.counted ? [] : [sign('too small')]), ...(task.near ? [sign('near a control')] : [])];
  return [
    heading(task.name, ...signs),
    el('p', {}, [task.target, words(task.family), count(task.n, words(task.entity)), 'source ' + task.source].join(' · ')),
    task.counted ? null : el('p', {}, 'Too small: ' + DATA.minimum + '. It is in no mean and no rank.'),
    task.unranked ? el('p', {}, 'Not ranked: ' + task.unranked + '.') : null,
    controlLine(table, task),
    el('div', { class: 'filters' }, el('label', {}, 'Metric ', chooser)),
    foldTable(table, task, {
      caption: 'Scores on ' + task.name,
      metric: metrics[metric],
      scoreOf: (model) => scoreOf(table, model, task, metric),
      further: metrics[metric] === task.metric ? [...(task.control ? [rescaledColumn()] : []), ...linearColumns(table, task), ...randomColumns(table, task)] : [],
    }),
    task.labels.length ? labelTable(table, task) : null,
    folded('Where the task comes from', definitions([
      ['task', code(task.id + ' ' + task.version)],
      ['source', task.source],
      ['labels, sha256', code(task.data_sha256)],
      ['folds', task.fold_scheme],
      ['folds, sha256', code(task.folds_sha256)],
      ...Object.entries(task.inputs).map(([file, hash]) => [file + ', sha256', code(hash)]),
    ])),
  ];
}

// What the best control has, and what difference the task can show.
function controlLine(table, task) {
  const control = controlOf(table, task);
  if (!control) return null;
  const detectable = control.detectable === null ? '' : ' A difference of ' + number(control.detectable) + ' would be found with a chance of 80\u00a0%.';
  return el('p', {}, 'Best control: ', link(control.model.id, 'model', control.model.id), ', ' + number(control.score) + (task.rankedBy === task.metric ? '' : ' (' + task.rankedBy + ')') + '.' + detectable);
}

// Of another head than the linear one: what they differ by.
function linearColumns(table, task) {
  if (!table.models.some((model) => (resultOf(table, model, task) || {}).h)) return [];
  const at = (place, unit) => ({ result }) => (result.h && result.h[place] !== null ? result.h[place] / unit : null);
  const [difference, low, high, p] = [at(0, DATA.unit), at(1, DATA.unit), at(2, DATA.unit), at(4, 1)];
  return [
    { name: 'less linear', isNumber: true, help: 'The score less that of the linear head on the same folds, with the 95 % interval of the corrected paired t-test. Heads are not ranked.', value: difference, cell: (row) => (difference(row) === null ? NOTHING : number(difference(row)) + (low(row) === null ? '' : ' (' + number(low(row)) + ' to ' + number(high(row)) + ')')), fields: [['less linear', difference], ['low', low], ['high', high]] },
    { name: 'p (Holm)', isNumber: true, lowFirst: true, help: 'Of that test, after Holm\'s correction over all models and tasks of this head.', value: p, cell: (row) => (p(row) === null ? NOTHING : number(p(row))) },
  ];
}

// Of another split than random folds: what a score loses by it.
function randomColumns(table, task) {
  if (!table.results.some((result) => result.t === task.index && result.d !== undefined)) return [];
  const value = ({ result }) => (result.d === undefined ? null : result.d / DATA.unit);
  return [{ name: 'less random', isNumber: true, help: 'The score less that on random folds, by the same vectors.', value, cell: (row) => (value(row) === null ? NOTHING : number(value(row))) }];
}

function rescaledColumn() {
  const cell = ({ result }) => [number(rescaledOf(result)), result.k ? [' ', sign('near a control')] : null].flat().filter((part) => part !== null);
  return { name: 'rescaled', isNumber: true, help: RESCALED, value: ({ result }) => rescaledOf(result), cell };
}

function labelView(table, name, label) {
  const task = table.tasks.find((each) => each.name === name);
  if (!task) return missing('task', name);
  const index = task.labels.indexOf(label);
  if (index < 0) return missing('label', label);
  return [
    heading(label),
    el('p', {}, 'A label of ', link(task.name, 'task', task.name), ': ' + DATA.labelMetric + ' of genes with it against all others.'),
    foldTable(table, task, {
      caption: 'Scores on ' + task.name + '/' + label,
      metric: DATA.labelMetric,
      scoreOf: (model) => labelScore(table, model, task, index),
    }),
  ];
}

function foldTable(table, task, { caption, metric, scoreOf, further = [] }) {
  const rows = table.models.map((model) => ({ model, result: resultOf(table, model, task), score: scoreOf(model) })).filter((row) => row.result);
  const values = rows.flatMap((row) => (row.score ? row.score.folds : [])).filter((value) => value !== null);
  const scale = [Math.min(...values), Math.max(...values)];
  const higher = DATA.higher[metric];
  const mean = (row) => meanOf(row.score);
  return dataTable({
    caption,
    rows,
    noun: 'model',
    sort: [1, higher],
    filters: [searchFor('Search models', (row) => row.model.id)],
    keep: (row) => row.model.control,
    columns: [
      { name: 'model', value: (row) => row.model.id.toLowerCase(), cell: (row) => modelLink(row.model), fields: [['model', (row) => row.model.id]] },
      { name: 'mean ± std', isNumber: true, lowFirst: !higher, help: metric + ', mean ± standard deviation over folds' + (higher ? '' : '; less is better') + '. A difference within it may be chance: Compare tests pairs of models.', value: mean, cell: (row) => meanStd(row.score), fields: scoreFields((row) => row.score) },
      ...further,
      { name: 'scored', isNumber: true, help: 'Entities of the task that the model has a vector for and was scored on.', value: (row) => row.result.n[0], cell: (row) => scoredCell(task, row.result), fields: [['scored', (row) => row.result.n[0]], ['of', () => task.n]] },
      { name: 'folds', isNumber: true, isPicture: true, help: 'The score in each fold; all models of a task on one scale, from the lowest to the highest fold.', value: mean, cell: (row) => foldsCell(row.score, scale) },
      { name: 'without vector', isNumber: true, help: 'Entities of the task that the model has no vector for.', value: (row) => row.result.n[1], cell: (row) => whole(row.result.n[1]) },
    ],
    details: [{ name: 'Provenance', of: (row) => row.model.id, content: (row) => provenance(table, task, row.model) }],
  });
}

function scoreFields(scoreOf) {
  return [['mean', (row) => meanOf(scoreOf(row))], ['std', (row) => (scoreOf(row) || { std: null }).std]];
}

function foldsCell(score, [low, high]) {
  if (!score) return NOTHING;
  const x = (value) => 5 + (high > low ? (value - low) / (high - low) : 0.5) * 110;
  const picture = svg('svg', { width: 120, height: 14, viewBox: '0 0 120 14', 'aria-hidden': 'true', class: 'strip' });
  picture.append(svg('line', { x1: 2, x2: 118, y1: 7, y2: 7, class: 'track' }));
  picture.append(...score.folds.filter((value) => value !== null).map((value) => svg('circle', { cx: x(value), cy: 7, r: 3.2 })));
  return [picture, el('span', { class: 'below' }, score.folds.map((value) => number(value)).join('  '))];
}

function labelTable(table, task) {
  const models = table.models.filter((model) => resultOf(table, model, task));
  const rows = task.labels.map((label, index) => ({ label, scores: models.map((model) => labelScore(table, model, task, index)) }));
  const columns = models.map((model, index) => ({
    name: model.id,
    isNumber: true,
    value: (row) => meanOf(row.scores[index]),
    cell: (row, cell) => {
      const score = row.scores[index];
      if (score) shade(cell, score.mean, 0.5, 1);
      return meanStd(score);
    },
    fields: [[model.id, (row) => meanOf(row.scores[index])], [model.id + ' std', (row) => (row.scores[index] || { std: null }).std]],
  }));
  return el('section', {}, el('h3', {}, 'Labels'), el('p', {}, 'Each label by itself: ' + DATA.labelMetric + ', mean ± standard deviation over folds.'), dataTable({
    key: 'labels.',
    caption: 'Labels of ' + task.name,
    rows,
    noun: 'label',
    filters: [searchFor('Search labels', (row) => row.label)],
    columns: [{ name: 'label', value: (row) => row.label, cell: (row) => link(row.label, 'label', task.name, row.label) }, ...columns],
  }));
}

function labelsOf(table, task, model) {
  const scores = task.labels.map((label, index) => ({ label, score: labelScore(table, model, task, index) })).filter((each) => each.score);
  scores.sort((a, b) => b.score.mean - a.score.mean);
  return definitions(scores.map(({ label, score }) => [link(label, 'label', task.name, label), el('span', {}, meanStd(score))]));
}

function provenance(table, task, model) {
  const result = resultOf(table, model, task);
  const about = facts(table, result);
  const path = model.slug + '/' + task.id + about.command[2];
  const sample = result.x === undefined ? null : sharedOf(table, result)[result.x];
  const lacking = sample && sample.join(', ') + (result.n[1] > sample.length ? ', …' : '');
  return definitions([
    ['gain', gainText(result)],
    ['permuted labels', permutedText(result)],
    ['run again', code(about.command[0] + ' -t ' + task.id + ' ' + about.command[1])],
    ['check', code('gene-bench verify DIR/' + path)],
    ['model', code(about.model.id + (about.model.revision ? ' @ ' + about.model.revision : ''))],
    ['adapter', about.model.adapter + ', ' + count(about.model.dim, 'dimension') + optionText(about.model.options)],
    ['vectors, sha256', code(about.model.embedding_sha256)],
    ['labels, sha256', code(task.data_sha256)],
    ['folds, sha256', code(task.folds_sha256)],
    ['scored entities, sha256', about.scored ? code(about.scored) : null],
    ['without vector', lacking],
    ['probe', Object.entries(about.probe).map(([key, value]) => key + ' ' + plain(value)).join(', ')],
    ['versions', versionText(about.environment)],
    ['made', about.created],
  ]);
}

// What vectors add to covariates.
function gainText(result) {
  if (!result.g) return null;
  const [covariates, n, alone, both, gain, low, high] = result.g;
  const at = (value) => number(value === null ? null : value / DATA.unit);
  return at(gain) + (low === null ? '' : ' (95\u00a0%: ' + at(low) + ' to ' + at(high) + ')') + ' over ' + covariates + ': ' + at(alone) + ' alone, ' + at(both) + ' with the vectors, on ' + whole(n);
}

// The same fits on permuted labels.
function permutedText(result) {
  if (!result.q) return null;
  const [n, mean, std, selectivity, p] = result.q;
  const at = (value) => number(value / DATA.unit);
  return at(mean) + ' ± ' + at(std) + ' of ' + count(n, 'permutation') + ', selectivity ' + at(selectivity) + ', p ' + number(p);
}

function optionText(options) {
  const entries = Object.entries(options);
  return entries.length ? ' (' + entries.map(([key, value]) => key + ' ' + plain(value)).join(', ') + ')' : '';
}

function versionText(environment) {
  return Object.entries(environment).map(([key, value]) => key + ' ' + value).join(', ');
}

function modelView(table, id) {
  const model = table.models.find((each) => each.id === id);
  if (!model) return missing('model', id);
  const rows = model.tasks.map((index) => {
    const task = table.tasks[index];
    const score = scoreOf(table, model, task);
    const others = table.models.filter((each) => !(resultOf(table, each, task) || { small: true }).small).map((each) => scoreOf(table, each, task)).filter(Boolean);
    const rank = score && !resultOf(table, model, task).small ? 1 + others.filter((other) => other.mean > score.mean).length : null;
    return { task, score, result: resultOf(table, model, task), rank, of: others.length };
  });
  return [
    heading(model.id, model.control ? sign('control') : null),
    el('p', {}, 'Scored on ' + rows.length + ' of ' + count(table.tasks.length, 'task') + '. ', link('Compare with other models', 'compare', model.id)),
    dataTable({
      caption: 'Tasks of ' + model.id,
      rows,
      noun: 'task',
      filters: [searchFor('Search tasks', (row) => row.task.name), ...facetFilters(rows, (row) => row.task)],
      isMuted: (row) => !row.task.counted,
      columns: [
        { name: 'task', value: (row) => row.task.name, cell: (row) => taskLink(row.task) },
        { name: 'mean ± std', isNumber: true, help: 'By the metric of the task, mean ± standard deviation over folds.', value: (row) => meanOf(row.score), cell: (row) => meanStd(row.score), fields: scoreFields((row) => row.score) },
        ...(model.control || !rows.some((row) => row.task.control) ? [] : [rescaledColumn()]),
        { name: 'scored', isNumber: true, help: 'Entities of the task that the model was scored on.', value: (row) => row.result.n[0] / row.task.n, cell: (row) => scoredCell(row.task, row.result), fields: [['scored', (row) => row.result.n[0]], ['of', (row) => row.task.n]] },
        { name: 'place', isNumber: true, lowFirst: true, help: 'By the mean alone, controls included: neighbours often do not differ, and models may be scored on different genes.', value: (row) => row.rank, cell: (row) => (row.rank === null ? NOTHING : row.rank + ' of ' + row.of) },
        { name: 'metric', value: (row) => row.task.metric },
        { name: 'family', value: (row) => row.task.family, cell: (row) => words(row.task.family) },
      ],
      details: [
        { name: 'Labels', of: (row) => row.task.name, isFor: (row) => row.task.labels.length, content: (row) => labelsOf(table, row.task, model) },
        { name: 'Provenance', of: (row) => row.task.name, content: (row) => provenance(table, row.task, model) },
      ],
    }),
    folded('Where the vectors come from', ...model.records.map((about) => definitions([
      ['revision', about.revision ? code(about.revision) : 'none'],
      ['adapter', about.adapter + ', ' + count(about.dim, 'dimension') + optionText(about.options)],
      ['vectors, sha256', code(about.embedding_sha256)],
    ]))),
  ];
}

function provenanceView(table) {
  const inputs = new Map(table.tasks.flatMap((task) => Object.entries(task.inputs).map(([file, hash]) => [file + ' ' + hash, { file, hash }])));
  const models = table.models.flatMap((model) => model.records.map((about) => ({ model, about })));
  return [
    heading('Provenance'),
    el('p', {}, count(table.byKey.size, 'result') + ' with ' + table.settings + '. Every number on this page is from result files of gene-bench; the provenance of each is folded below it, in the tables of tasks and models. ', code('gene-bench verify DIR/MODEL/TASK.json'), ' runs a result again and says whether it reproduces.'),
    notes(table),
    el('h3', {}, 'Models'),
    dataTable({
      caption: 'Models and their vectors',
      rows: models,
      noun: 'model',
      columns: [
        { name: 'model', value: (row) => row.model.id.toLowerCase(), cell: (row) => modelLink(row.model), fields: [['model', (row) => row.model.id]] },
        { name: 'revision', value: (row) => row.about.revision || '', cell: (row) => (row.about.revision ? code(row.about.revision) : 'none') },
        { name: 'adapter', value: (row) => row.about.adapter, cell: (row) => row.about.adapter + optionText(row.about.options) },
        { name: 'dimension', isNumber: true, value: (row) => row.about.dim, cell: (row) => whole(row.about.dim) },
        { name: 'vectors, sha256', value: (row) => row.about.embedding_sha256, cell: (row) => code(row.about.embedding_sha256) },
      ],
    }),
    el('h3', {}, 'Source files'),
    inputs.size
      ? dataTable({ key: 'files.', caption: 'Source files', rows: [...inputs.values()], noun: 'file', sort: [0, false], columns: [{ name: 'file', value: (row) => row.file }, { name: 'sha256', value: (row) => row.hash, cell: (row) => code(row.hash) }] })
      : el('p', {}, 'None: these tasks come with gene-bench.'),
    el('h3', {}, 'Versions'),
    definitions(table.environments.map(([n, versions]) => [count(n, 'result'), versionText(versions)])),
  ];
}
