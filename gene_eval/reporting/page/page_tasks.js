// The list of tasks, and the search over everything that has a name.

function tasksView(table) {
  const rows = table.tasks.map((task) => {
    const scores = table.models.map((model) => ({ model, score: scoreOf(table, model, task) })).filter((each) => each.score);
    scores.sort((a, b) => b.score.mean - a.score.mean);
    const [best, floor] = [scores.find((each) => !each.model.control), scores.find((each) => each.model.control)];
    return { task, best: best || null, floor: floor ? floor.score.mean : null, models: scores.length };
  });
  const best = (row) => (row.best ? row.best.score.mean : null);
  const rescaled = (row) => (row.best ? rescaledOf(resultOf(table, row.best.model, row.task)) : null);
  return [
    heading('Tasks'),
    dataTable({
      caption: 'Tasks',
      rows,
      noun: 'task',
      filters: [searchFor('Search tasks', ({ task }) => task.name), ...facetFilters(rows, (row) => row.task)],
      isMuted: ({ task }) => !task.counted,
      columns: [
        { name: 'task', value: ({ task }) => task.name, cell: ({ task }) => taskLink(task) },
        { name: 'best score', isNumber: true, help: 'The highest mean over folds ± standard deviation over folds, without controls; whether it differs from the next is under Compare.', value: best, cell: (row) => bestCell(table, row), fields: [['best score', best], ['std', (row) => (row.best ? row.best.score.std : null)]] },
        { name: 'control', isNumber: true, help: 'The best of the controls, which need no model.', value: (row) => row.floor, cell: (row) => number(row.floor) },
        { name: 'rescaled', isNumber: true, help: RESCALED + ' Of the best model.', value: rescaled, cell: (row) => number(rescaled(row)) },
        { name: 'best model', value: (row) => (row.best ? row.best.model.id : null), cell: (row) => (row.best ? modelLink(row.best.model) : NOTHING) },
        { name: 'scored', isNumber: true, help: 'Entities that were scored, by the model with the fewest and the one with the most, of those of the task.', value: ({ task }) => task.n, cell: ({ task }) => scoredOf(table, task) },
        { name: 'metric', value: ({ task }) => task.metric },
        { name: 'family', value: ({ task }) => task.family, cell: ({ task }) => words(task.family) },
        { name: 'target', value: ({ task }) => task.target },
        { name: 'models', isNumber: true, value: (row) => row.models },
      ],
    }),
  ];
}

function bestCell(table, { task, best }) {
  const isPart = best && resultOf(table, best.model, task).n[0] < DATA.leastCoverage * task.n;
  return isPart ? [...meanStd(best.score), ' ', sign('few genes')] : meanStd(best && best.score);
}

// How many of a task's entities were scored, from the least to the most of the models.
function scoredOf(table, task) {
  const counts = table.models.map((model) => resultOf(table, model, task)).filter(Boolean).map((result) => result.n[0]);
  const text = range(counts);
  return text === whole(task.n) ? text : text + ' of ' + whole(task.n);
}

function searchView(table) {
  const sought = state.query.get('q') || '';
  const models = table.models.filter((model) => hasWords(model.id, sought));
  const tasks = table.tasks.filter((task) => hasWords(task.name, sought));
  const labels = table.tasks.flatMap((task) => task.labels.filter((label) => hasWords(label, sought)).map((label) => ({ task, label })));
  const section = (title, hits, entry) => (hits.length ? [el('h3', {}, title + ' (' + whole(hits.length) + ')'), el('ul', {}, hits.slice(0, MOST_HITS).map((hit) => el('li', {}, entry(hit)))), hits.length > MOST_HITS ? el('p', {}, 'and ' + whole(hits.length - MOST_HITS) + ' more: a longer word finds fewer') : null] : []);
  return [
    heading('Search'),
    el('p', { role: 'status' }, sought ? [count(models.length, 'model'), count(tasks.length, 'task'), count(labels.length, 'label')].join(', ') + ' with “' + sought + '”' : 'Write part of a name into the field above.'),
    ...(sought ? [...section('Models', models, modelLink), ...section('Tasks', tasks, taskLink), ...section('Labels', labels, ({ task, label }) => [link(label, 'label', task.name, label), ' of ', link(task.name, 'task', task.name)])] : []),
  ];
}

const MOST_HITS = 50;
