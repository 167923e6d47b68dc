// One task, one model, and where all numbers come from.

function taskView(table, name) {
  const task = table.tasks.find((each) => each.name === name);
  if (!task) return missing('task', name);
  const metrics = DATA.metrics[task.target];
  const chooser = el('select', { 'aria-label': 'Metric' }, metrics.map((metric) => el('option', { value: metric, selected: metric === task.metric }, metric)));
  const container = el('div', {});
  const fill = () => container.replaceChildren(foldTable(table, task, metrics.indexOf(chooser.value)));
  chooser.addEventListener('change', fill);
  fill();
  return [
    heading(task.name),
    el('p', {}, [task.target, words(task.family), count(task.n, words(task.entity)) + (task.ranked ? '' : ', in no ranking')].join(' · ')),
    el('div', { class: 'filters' }, el('label', {}, 'Metric ', chooser)),
    container,
    task.labels.length ? labelTable(table, task) : null,
    el('h3', {}, 'Where it comes from'),
    definitions([
      ['task', code(task.id + ' ' + task.version)],
      ['source', task.source],
      ['labels, sha256', code(task.data_sha256)],
      ['folds', task.fold_scheme],
      ['folds, sha256', code(task.folds_sha256)],
      ...Object.entries(task.inputs).map(([file, hash]) => [file + ', sha256', code(hash)]),
    ]),
  ];
}

function foldTable(table, task, metric) {
  const rows = table.models
    .map((model) => ({ model, result: resultOf(table, model, task), score: scoreOf(table, model, task, metric) }))
    .filter((row) => row.result);
  const values = rows.flatMap((row) => (row.score ? row.score.folds : [])).filter((value) => value !== null);
  const scale = [Math.min(...values), Math.max(...values)];
  const higher = DATA.higher[DATA.metrics[task.target][metric]];
  const mean = (row) => (row.score ? row.score.mean : null);
  return dataTable({
    caption: 'Scores on ' + task.name,
    rows,
    noun: 'model',
    sort: [1, higher],
    filters: [{ name: 'Filter models' }],
    matches: (row, [text]) => row.model.control || row.model.id.toLowerCase().includes(text),
    columns: [
      { name: 'model', value: (row) => row.model.id.toLowerCase(), cell: (row) => modelLink(row.model) },
      { name: 'mean ± std', isNumber: true, lowFirst: !higher, value: mean, cell: (row) => meanStd(row.score) },
      { name: 'folds', isNumber: true, isPicture: true, title: 'score in each fold', value: mean, cell: (row) => foldsCell(row.score, scale) },
      { name: 'scored', isNumber: true, title: 'entities the model was scored on', value: (row) => row.result.n[0], cell: (row) => row.result.n[0].toLocaleString('en') },
      { name: 'without vector', isNumber: true, value: (row) => row.result.n[1], cell: (row) => row.result.n[1].toLocaleString('en') },
    ],
    details: { name: (row) => row.model.id, content: (row) => provenance(table, task, row.model) },
  });
}

function foldsCell(score, [low, high]) {
  if (!score) return NOTHING;
  const x = (value) => 5 + (high > low ? (value - low) / (high - low) : 0.5) * 110;
  const picture = svg('svg', { width: 120, height: 14, viewBox: '0 0 120 14', 'aria-hidden': 'true', class: 'strip' });
  picture.append(svg('line', { x1: 2, x2: 118, y1: 7, y2: 7, class: 'track' }));
  picture.append(...score.folds.filter((value) => value !== null).map((value) => svg('circle', { cx: x(value), cy: 7, r: 3.2 })));
  return [picture, el('span', { class: 'folds' }, score.folds.map((value) => number(value)).join('  '))];
}

function labelTable(table, task) {
  const models = table.models.filter((model) => resultOf(table, model, task));
  const rows = task.labels.map((label, index) => ({ label, scores: models.map((model) => labelScore(table, model, task, index)) }));
  const columns = models.map((model, index) => ({
    name: model.id,
    isNumber: true,
    value: (row) => (row.scores[index] ? row.scores[index].mean : null),
    cell: (row, cell) => {
      const score = row.scores[index];
      if (score) cell.title = '± ' + number(score.std) + '; folds ' + score.folds.map((value) => number(value)).join(', ');
      return score ? number(shadeScore(cell, score)) : NOTHING;
    },
  }));
  return el('section', {}, el('h3', {}, 'Labels'), el('p', {}, 'Each label by itself: ' + DATA.labelMetric + ', mean over folds.'), dataTable({
    caption: 'Labels of ' + task.name,
    rows,
    noun: 'label',
    filters: [{ name: 'Filter labels' }],
    matches: (row, [text]) => row.label.toLowerCase().includes(text),
    columns: [{ name: 'label', value: (row) => row.label }, ...columns],
  }));
}

function shadeScore(cell, score) {
  shade(cell, score.mean, 0.5, 1);
  return score.mean;
}

function provenance(table, task, model) {
  const result = resultOf(table, model, task);
  const about = facts(table, result);
  const path = model.slug + '/' + task.id + about.command[2];
  const lacking = result.x === undefined ? null : table.shared[result.x].join(', ') + (result.n[1] > table.shared[result.x].length ? ', …' : '');
  return definitions([
    ['run again', code(about.command[0] + ' -t ' + task.id + ' ' + about.command[1])],
    ['check', code('gene-bench verify DIR/' + path)],
    ['model', code(about.model.id + (about.model.revision ? ' @ ' + about.model.revision : ''))],
    ['adapter', about.model.adapter + ', ' + about.model.dim.toLocaleString('en') + ' dimensions' + optionText(about.model.options)],
    ['vectors, sha256', code(about.model.embedding_sha256)],
    ['labels, sha256', code(task.data_sha256)],
    ['folds, sha256', code(task.folds_sha256)],
    ['scored entities, sha256', about.scored ? code(about.scored) : null],
    ['without vector', lacking],
    ['probe', Object.entries(about.probe).map(([key, value]) => key + ' ' + plain(value)).join(', ')],
    ['versions', Object.entries(about.environment).map(([key, value]) => key + ' ' + value).join(', ')],
    ['made', about.created],
  ]);
}

function optionText(options) {
  const entries = Object.entries(options);
  return entries.length ? ' (' + entries.map(([key, value]) => key + ' ' + plain(value)).join(', ') + ')' : '';
}

function modelView(table, id) {
  const model = table.models.find((each) => each.id === id);
  if (!model) return missing('model', id);
  const rows = model.tasks.map((index) => {
    const task = table.tasks[index];
    const score = scoreOf(table, model, task);
    const others = table.models.map((each) => scoreOf(table, each, task)).filter(Boolean);
    return { task, score, result: resultOf(table, model, task), rank: score ? 1 + others.filter((other) => other.mean > score.mean).length : null, of: others.length };
  });
  const states = new Map(rows.map((row) => [row.result.p[0], facts(table, row.result).model]));
  const mean = (row) => (row.score ? row.score.mean : null);
  return [
    heading(model.id, model.control ? el('span', { class: 'badge' }, 'control') : null),
    el('p', {}, 'Scored on ' + rows.length + ' of ' + count(table.tasks.length, 'task') + '. ', link('Compare with another model', 'compare', model.id)),
    dataTable({
      caption: 'Tasks of ' + model.id,
      rows,
      noun: 'task',
      filters: [{ name: 'Filter tasks' }, { name: 'Family', options: [...new Set(rows.map((row) => row.task.family))] }],
      matches: (row, [text, family]) => row.task.name.toLowerCase().includes(text) && (!family || row.task.family === family),
      columns: [
        { name: 'task', value: (row) => row.task.name, cell: (row) => taskLink(row.task) },
        { name: 'mean ± std', isNumber: true, value: mean, cell: (row) => meanStd(row.score) },
        { name: 'rank', isNumber: true, lowFirst: true, value: (row) => row.rank, cell: (row) => (row.rank === null ? NOTHING : row.rank + ' of ' + row.of) },
        { name: 'scored', isNumber: true, value: (row) => row.result.n[0] / row.task.n, cell: (row) => row.result.n[0].toLocaleString('en') + ' of ' + row.task.n.toLocaleString('en') },
        { name: 'metric', value: (row) => row.task.metric },
        { name: 'family', value: (row) => row.task.family, cell: (row) => words(row.task.family) },
      ],
      details: { name: (row) => row.task.name, content: (row) => provenance(table, row.task, model) },
    }),
    el('details', {}, el('summary', {}, 'Where the vectors come from'), ...[...states.values()].map((about) => definitions([
      ['revision', about.revision ? code(about.revision) : 'none'],
      ['adapter', about.adapter + ', ' + about.dim.toLocaleString('en') + ' dimensions' + optionText(about.options)],
      ['vectors, sha256', code(about.embedding_sha256)],
    ]))),
  ];
}

function provenanceView(table) {
  const environments = new Map();
  for (const result of table.results) environments.set(result.p[2], (environments.get(result.p[2]) || 0) + 1);
  const inputs = new Map(table.tasks.flatMap((task) => Object.entries(task.inputs).map(([file, hash]) => [file + ' ' + hash, { file, hash }])));
  const models = table.models.flatMap((model) => {
    const states = new Map(model.tasks.map((index) => resultOf(table, model, table.tasks[index])).map((result) => [result.p[0], facts(table, result).model]));
    return [...states.values()].map((about) => ({ model, about }));
  });
  return [
    heading('Provenance'),
    el('p', {}, count(table.results.length, 'result') + ' with ' + table.settings + '. Every number on this page is from result files of gene-bench; the provenance of each stands beside it, in the tables of tasks and models. ', code('gene-bench verify DIR/MODEL/TASK.json'), ' runs a result again and says whether it reproduces.'),
    notes(table),
    el('h3', {}, 'Models'),
    dataTable({
      caption: 'Models and their vectors',
      rows: models,
      noun: 'model',
      columns: [
        { name: 'model', value: (row) => row.model.id.toLowerCase(), cell: (row) => modelLink(row.model) },
        { name: 'revision', value: (row) => row.about.revision || '', cell: (row) => (row.about.revision ? code(row.about.revision) : 'none') },
        { name: 'adapter', value: (row) => row.about.adapter, cell: (row) => row.about.adapter + optionText(row.about.options) },
        { name: 'dimension', isNumber: true, value: (row) => row.about.dim, cell: (row) => row.about.dim.toLocaleString('en') },
        { name: 'vectors, sha256', value: (row) => row.about.embedding_sha256, cell: (row) => code(row.about.embedding_sha256) },
      ],
    }),
    el('h3', {}, 'Source files'),
    inputs.size
      ? dataTable({ caption: 'Source files', rows: [...inputs.values()], noun: 'file', sort: [0, false], columns: [{ name: 'file', value: (row) => row.file }, { name: 'sha256', value: (row) => row.hash, cell: (row) => code(row.hash) }] })
      : el('p', {}, 'None: these tasks come with gene-bench.'),
    el('h3', {}, 'Versions'),
    definitions([...environments].map(([index, n]) => [count(n, 'result'), Object.entries(table.shared[index]).map(([key, value]) => key + ' ' + value).join(', ')])),
  ];
}
