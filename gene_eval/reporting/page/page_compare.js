// Two models: over groups of tasks, and task by task on the folds that they share.

function compareView(table, first, second) {
  if (table.models.length < 2) return [heading('Compare'), el('p', {}, 'There is only one model.')];
  const a = table.models.find((model) => model.id === first) || table.models[0];
  const b = table.models.find((model) => model.id === second && model !== a) || table.models.find((model) => model !== a);
  const chooser = (name, chosen, other, path) => {
    const options = table.models.map((model) => el('option', { value: model.id, selected: model === chosen, disabled: model === other }, model.id));
    return el('select', { 'aria-label': name, onchange: (event) => location.replace(address('compare', ...path(event.target.value))) }, options);
  };
  const rows = pairedTasks(table, a, b);
  return [
    heading('Compare'),
    el('div', { class: 'filters' },
      el('label', {}, 'A ', chooser('Model A', a, b, (id) => [id, b.id])),
      el('label', {}, 'B ', chooser('Model B', b, a, (id) => [a.id, id]))),
    summary(rows, a, b),
    table.groups.length ? groupTable(table, a, b) : null,
    el('h3', {}, 'Task by task'),
    el('p', {}, 'Difference A − B on shared folds, with the 95 % interval of the corrected t-test (Nadeau and Bengio); p-values are adjusted for the number of tasks (Holm). ', 'The full comparison: ', code('gene-bench compare DIR ' + a.word + ' ' + b.word)),
    pairTable(table, rows, a, b),
  ];
}

function pairedTasks(table, a, b) {
  const rows = [];
  for (const task of table.tasks) {
    const [first, second] = [resultOf(table, a, task), resultOf(table, b, task)];
    const [x, y] = [scoreOf(table, a, task), scoreOf(table, b, task)];
    if (!first || !second || !x || !y) continue;
    const isPaired = canPair(task, first, second) && x.folds.length === y.folds.length;
    rows.push({ task, x, y, test: isPaired ? correctedTest(x.folds, y.folds) : null });
  }
  holm(rows.map((row) => (row.test ? row.test.p : null))).forEach((p, index) => Object.assign(rows[index], { p }));
  return rows;
}

function verdict(row) {
  if (!row.test || row.p === null) return '';
  return row.p < DATA.alpha ? (row.test.difference > 0 ? 'A' : 'B') : '';
}

function summary(rows, a, b) {
  if (!rows.length) return el('p', {}, a.id + ' and ' + b.id + ' have no task in common.');
  const tested = rows.filter((row) => row.test);
  const wins = (side) => tested.filter((row) => verdict(row) === side).length;
  const uneven = rows.length - tested.length;
  return el('p', { class: 'summary' },
    'Of ' + count(tested.length, 'task') + ' that can be paired, ', el('strong', {}, 'A is better on ' + wins('A') + ', B on ' + wins('B')),
    ', undecided on ' + wins('') + '.' + (uneven ? ' On ' + count(uneven, 'more task') + ' the two were scored on different genes: no test there.' : ''));
}

function groupTable(table, a, b) {
  const rows = table.groups.map((group) => {
    const [x, y] = [groupRank(group, a), groupRank(group, b)];
    const key = Math.min(a.index, b.index) + ' ' + Math.max(a.index, b.index);
    const { p, apart } = group.pairs.get(key) || { p: null, apart: false };
    return { group, x, y, difference: x && y ? x.mean - y.mean : null, p, apart };
  });
  return el('section', {}, el('h3', {}, 'Over tasks'), el('p', {}, 'p-values are adjusted for all pairs of models on this page (Holm), separately for each line.'), dataTable({
    caption: 'Both models over groups of tasks',
    rows,
    noun: 'group',
    columns: [
      { name: 'tasks', value: (row) => row.group.name, cell: (row) => words(row.group.name) },
      { name: 'mean over', value: (row) => row.group.basis },
      { name: 'A', isNumber: true, value: (row) => (row.x ? row.x.mean : null), cell: (row) => number(row.x && row.x.mean) },
      { name: 'B', isNumber: true, value: (row) => (row.y ? row.y.mean : null), cell: (row) => number(row.y && row.y.mean) },
      { name: 'A − B', isNumber: true, value: (row) => row.difference, cell: (row) => signed(row.difference) },
      { name: 'p (all pairs)', isNumber: true, lowFirst: true, value: (row) => row.p, cell: (row) => pValue(row.p) },
      { name: 'better', value: (row) => (row.apart ? (row.difference > 0 ? 'A' : 'B') : '') },
    ],
  }));
}

function pairTable(table, rows, a, b) {
  const difference = (row) => row.x.mean - row.y.mean;
  const isR2 = (row) => row.task.target === 'regression';
  // Every difference is drawn; the ends of an interval may be cut, so that one wide interval does not flatten the others.
  const reach = (members) => 1.2 * Math.max(0.05, ...members.map((row) => Math.abs(difference(row))));
  const [scale, scaleR2] = [reach(rows.filter((row) => !isR2(row))), reach(rows.filter(isR2))];
  return dataTable({
    caption: a.id + ' and ' + b.id + ', task by task',
    rows,
    noun: 'task',
    sort: [3, true],
    filters: [{ name: 'Filter tasks' }, { name: 'Family', options: [...new Set(rows.map((row) => row.task.family))] }],
    matches: (row, [text, family]) => row.task.name.toLowerCase().includes(text) && (!family || row.task.family === family),
    columns: [
      { name: 'task', value: (row) => row.task.name, cell: (row) => taskLink(row.task) },
      { name: 'A', isNumber: true, value: (row) => row.x.mean, cell: (row) => number(row.x.mean) },
      { name: 'B', isNumber: true, value: (row) => row.y.mean, cell: (row) => number(row.y.mean) },
      { name: 'A − B', isNumber: true, value: difference, cell: (row) => signed(difference(row)) },
      { name: '95 % interval', isNumber: true, isPicture: true, title: 'ROC-AUC and R2 each on a scale of its own', value: difference, cell: (row) => intervalCell(row.test, isR2(row) ? scaleR2 : scale) },
      { name: 'p (Holm)', isNumber: true, lowFirst: true, value: (row) => row.p, cell: (row) => pValue(row.p) },
      { name: 'better', value: verdict, cell: (row) => (row.test ? verdict(row) : 'different genes') },
      { name: 'family', value: (row) => row.task.family, cell: (row) => words(row.task.family) },
    ],
  });
}

function intervalCell(test, scale) {
  if (!test || test.low === null) return NOTHING;
  const x = (value) => 60 + Math.max(-1, Math.min(1, value / scale)) * 56;
  const picture = svg('svg', { width: 120, height: 14, viewBox: '0 0 120 14', 'aria-hidden': 'true', class: 'interval' });
  picture.append(
    svg('line', { x1: 60, x2: 60, y1: 0, y2: 14, class: 'track' }),
    svg('line', { x1: x(test.low), x2: x(test.high), y1: 7, y2: 7, class: 'range' }),
    svg('circle', { cx: x(test.difference), cy: 7, r: 3 }),
  );
  return [picture, el('span', { class: 'folds' }, signed(test.low) + ' to ' + signed(test.high))];
}
