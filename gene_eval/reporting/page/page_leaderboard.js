// The leaderboard and the list of tasks.

// Where nothing is ranked, the leaderboard shows this many tasks.
const MOST_TASKS = 12;

function leaderboardView(table) {
  const overall = table.groups[0];
  // A score comes second, so that it is on the screen of a phone.
  const [first, ...others] = table.groups.map((group) => groupColumn(table, group));
  const columns = [{ name: 'model', value: (model) => model.id.toLowerCase(), cell: modelLink }];
  if (first) columns.push(first);
  if (overall && overall.basis) {
    columns.push({
      name: 'rank',
      isNumber: true,
      lowFirst: true,
      title: 'rank by the mean over ' + overall.basis + ' (' + words(overall.name) + '), and its simultaneous 95 % interval; it orders the rows',
      value: (model) => (groupRank(overall, model) || { rank: null }).rank,
      cell: (model) => rankCell(groupRank(overall, model), table.models.length),
    });
  }
  columns.push(...others);
  if (!overall) columns.push(...table.tasks.slice(0, MOST_TASKS).map((task) => taskColumn(table, task)));
  columns.push(coverageColumn(table));
  return [
    heading('Leaderboard'),
    intro(table, overall),
    notes(table),
    dataTable({
      caption: 'Leaderboard',
      columns,
      rows: table.models,
      sort: overall && overall.basis ? [2, false] : null,
      filters: [{ name: 'Filter models' }],
      // Controls stay in sight.
      matches: (model, [text]) => model.control || model.id.toLowerCase().includes(text),
      noun: 'model',
    }),
    overall ? tieNotes(table, overall) : null,
  ];
}

function intro(table, overall) {
  if (!overall) return el('p', {}, 'These tasks are for trying things out: they are in no mean and in no ranking.');
  const lines = [
    'Mean ± standard deviation over tasks of ROC-AUC; regression tasks (R2) are in no other mean. Only models with every task of a column ',
    'have a number in it. Below a mean, the rank by it, with its simultaneous 95 % interval: from the number of models that differ after Holm’s ',
    'correction over all pairs (with fewer than six sources, only where every task points the same way).',
  ];
  if (overall.basis.includes('source')) lines.push(' The overall rank counts every source once (' + overall.basis + '), so that a source with many tasks does not decide it.');
  return el('p', {}, lines.join(''));
}

function notes(table) {
  const lines = [...table.warnings, ...DATA.problems.map((line) => 'left out: ' + line)];
  if (!lines.length) return null;
  return el('details', { class: 'notes', open: lines.length < 4 }, el('summary', {}, count(lines.length, 'thing') + ' to keep in mind'), el('ul', {}, lines.map((line) => el('li', {}, line))));
}

function tieNotes(table, group) {
  const runs = group.ties.filter((run) => run.length > 1);
  if (!runs.length) return null;
  const lines = runs.map((run) => el('li', {}, run.flatMap((index, position) => [position ? ', ' : '', link(table.models[index].id, 'model', table.models[index].id)])));
  return el('section', {}, el('h3', {}, 'Not distinguished'), el('p', {}, 'Models between which no difference was found (' + words(group.name) + ', p of 0.05 or more after Holm’s correction); a model may be in several lines.'), el('ul', {}, lines));
}

function groupColumn(table, group) {
  const means = table.models.filter((model) => !model.control).map((model) => groupMean(group, model)).filter(Boolean).map((mean) => mean.mean);
  return {
    name: words(group.name) + ' (' + group.tasks.length + ')',
    isNumber: true,
    title: count(group.tasks.length, 'task') + ', ' + (group.isR2 ? 'R2' : 'ROC-AUC') + (group.basis ? '; ranks over ' + group.basis : ''),
    value: (model) => (groupMean(group, model) || { mean: null }).mean,
    cell: (model, cell) => {
      const mean = groupMean(group, model);
      if (!mean) return NOTHING;
      if (!model.control) shade(cell, mean.mean, Math.min(...means), Math.max(...means));
      // The first group has a column of ranks.
      const rank = group === table.groups[0] ? null : el('span', { class: 'rank' }, rankText(groupRank(group, model)));
      return [...meanStd(mean), rank].filter(Boolean);
    },
  };
}

function taskColumn(table, task) {
  const score = (model) => scoreOf(table, model, task);
  return { name: words(task.name), isNumber: true, title: task.metric, value: (model) => (score(model) || { mean: null }).mean, cell: (model) => meanStd(score(model)) };
}

function rankCell(rank, models) {
  if (!rank) return NOTHING;
  if (rank.low === null) return String(rank.rank);
  const x = (rank) => (models > 1 ? 3 + ((rank - 1) / (models - 1)) * 74 : 40);
  const picture = svg('svg', { width: 80, height: 12, viewBox: '0 0 80 12', 'aria-hidden': 'true', class: 'interval' });
  picture.append(
    svg('line', { x1: 1, x2: 79, y1: 6, y2: 6, class: 'track' }),
    svg('line', { x1: x(rank.low) - 0.01, x2: x(rank.high) + 0.01, y1: 6, y2: 6, class: 'range' }),
    svg('circle', { cx: x(rank.rank), cy: 6, r: 3 }),
  );
  return [rankText(rank), picture];
}

// Share of the entities of its tasks that a model was scored on.
function coverageColumn(table) {
  const of = (model) => {
    const results = model.tasks.map((index) => resultOf(table, model, table.tasks[index]));
    const total = results.reduce((sum, result) => sum + table.tasks[result.t].n, 0);
    return total ? results.reduce((sum, result) => sum + result.n[0], 0) / total : null;
  };
  return {
    name: 'coverage',
    isNumber: true,
    title: 'share of the entities of its tasks that the model was scored on, and how many tasks it has',
    value: of,
    cell: (model) => [(of(model) * 100).toFixed(1) + ' %', el('span', { class: 'rank' }, model.tasks.length + ' of ' + count(table.tasks.length, 'task'))],
  };
}

function tasksView(table) {
  const rows = table.tasks.map((task) => {
    const scores = table.models.map((model) => ({ model, score: scoreOf(table, model, task) })).filter((each) => each.score);
    scores.sort((a, b) => b.score.mean - a.score.mean);
    const controls = scores.filter((each) => each.model.control);
    return { task, best: scores[0] || null, control: controls[0] ? controls[0].score.mean : null, models: scores.length };
  });
  const families = [...new Set(table.tasks.map((task) => task.family))];
  const targets = [...new Set(table.tasks.map((task) => task.target))];
  const best = (row) => (row.best ? row.best.score.mean : null);
  return [
    heading('Tasks'),
    dataTable({
      caption: 'Tasks',
      rows: rows.map(({ control, ...row }) => ({ ...row, floor: control })),
      noun: 'task',
      filters: [{ name: 'Filter tasks' }, { name: 'Family', options: families }, { name: 'Target', options: targets }],
      matches: ({ task }, [text, family, target]) =>
        task.name.toLowerCase().includes(text) && (!family || task.family === family) && (!target || task.target === target),
      columns: [
        { name: 'task', value: ({ task }) => task.name, cell: ({ task }) => taskLink(task) },
        { name: 'best', isNumber: true, value: best, cell: (row) => number(best(row)) },
        { name: 'control', isNumber: true, title: 'best of the controls: the floor', value: (row) => row.floor, cell: (row) => number(row.floor) },
        { name: 'best model', value: (row) => (row.best ? row.best.model.id : null), cell: (row) => (row.best ? modelLink(row.best.model) : NOTHING) },
        { name: 'family', value: ({ task }) => task.family, cell: ({ task }) => words(task.family) },
        { name: 'target', value: ({ task }) => task.target },
        { name: 'metric', value: ({ task }) => task.metric },
        { name: 'n scored', isNumber: true, title: 'entities that were scored, by the model with the fewest and the most', value: ({ task }) => task.n, cell: ({ task }) => scoredOf(table, task) },
        { name: 'models', isNumber: true, value: (row) => row.models },
      ],
    }),
  ];
}

// How many of a task's entities were scored, from the least to the most of the models.
function scoredOf(table, task) {
  const counts = table.models.map((model) => resultOf(table, model, task)).filter(Boolean).map((result) => result.n[0]);
  const [least, most] = [Math.min(...counts), Math.max(...counts)].map((value) => value.toLocaleString('en'));
  const n = task.n.toLocaleString('en');
  return least === n ? n : (least === most ? least : least + '–' + most) + ' of ' + n;
}

function taskLink(task) {
  const parts = [link(breakable(task.name), 'task', task.name)];
  if (!task.ranked) parts.push(' ', el('span', { class: 'badge', title: 'in no mean and in no ranking' }, 'not ranked'));
  if (!task.counted) parts.push(' ', el('span', { class: 'badge', title: DATA.minimum + ': in no mean and no rank' }, 'too small'));
  return parts;
}
