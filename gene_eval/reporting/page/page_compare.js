// Two models or more side by side: over groups of tasks, and task by task on the folds that they share. The first one, A,
// is what the others are compared with.
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function compareView(table, ...names) {
  if (table.models.length < 2) return [heading('Compare'), el('p', {}, 'There is only one model.')];
  const models = chosenModels(table, names);
  const [a, ...others] = models;
  const pairs = others.map((model, index) => ({ model, letter: letter(index + 1), rows: pairedTasks(table, a, model) }));
  return [
    heading('Compare'),
    modelChoosers(table, models),
    ...pairs.map((pair) => summary(pair, a)),
    table.groups.length ? groupTable(table, a, pairs) : null,
    el('h3', {}, 'Task by task'),
    el('p', {}, 'Differences of A and another model on the folds and entities that both share, by the corrected t-test (Nadeau and Bengio); ' + (isBounded(table) ? 'p-values are multiplied by the number of pairs of models on the task (Bonferroni).' : 'p-values are adjusted for all pairs of models on the task (Holm), as those of ranks.') + ' Each task stands for itself: of many on which models know the same, one in twenty looks better.'),
    pairs.length === 1 ? pairTable(table, pairs[0].rows, a, others[0]) : sideBySide(table, a, pairs),
    el('p', {}, 'The full comparison, with an interval over tasks: ', code('gene-bench compare DIR ' + a.word + ' ' + others[0].word)),
  ];
}

// Whether there are so many models that no pair of them is written on a task.
function isBounded(table) {
  return table.isParted && !table.tasks.some((task) => task.adjusted);
}

function letter(index) {
  return LETTERS[index] || String(index + 1);
}

// Those of the address, filled up to two.
function chosenModels(table, names) {
  const named = [...new Set(names)].map((name) => table.models.find((model) => model.id === name)).filter(Boolean);
  return [...named, ...table.models.filter((model) => !named.includes(model)).slice(0, Math.max(0, 2 - named.length))];
}

function modelChoosers(table, models) {
  const go = (chosen) => location.replace(addressOf(state.table, ['compare', ...chosen.map((model) => model.id)], state.query));
  const named = (event) => table.models.find((model) => model.id === event.target.value);
  const options = (chosen) => table.models.map((model) => el('option', { value: model.id, selected: model === chosen, disabled: model !== chosen && models.includes(model) }, model.id));
  const choosers = models.map((model, index) => el('span', { class: 'chosen' },
    el('label', {}, letter(index) + ' ', el('select', { 'aria-label': 'Model ' + letter(index), id: 'model-' + index, onchange: (event) => go(models.map((each) => (each === model ? named(event) : each))) }, options(model))),
    models.length > 2 ? el('button', { type: 'button', class: 'more', 'aria-label': 'Remove ' + model.id, onclick: () => go(models.filter((each) => each !== model)) }, 'remove') : null));
  const rest = table.models.filter((model) => !models.includes(model));
  const add = el('select', { 'aria-label': 'Add a model', id: 'model-add', onchange: (event) => go([...models, named(event)]) }, el('option', { value: '' }, 'add a model'), rest.map((model) => el('option', { value: model.id }, model.id)));
  return el('div', { class: 'filters' }, choosers, rest.length ? add : null);
}

function pairedTasks(table, a, b) {
  const rows = [];
  for (const task of table.tasks) {
    if (!resultOf(table, a, task) || !resultOf(table, b, task)) continue;
    const { x, y, n, reason } = pairOf(table, a, b, task);
    const test = reason || !x || !y ? null : correctedTest(x.folds, y.folds);
    const isTested = test && test.n > 0;
    rows.push({ task, x, y, n, test: isTested ? test : null, reason: isTested ? '' : reason || 'no fold in which both scores are defined' });
  }
  for (const row of rows) row.p = !row.test ? null : table.isParted ? writtenP(table, row.task, a, b, row.test.p) : adjustedFor(table, row.task, a, b);
  return rows;
}

// The p-value of two models on a task, adjusted for all pairs of models on it; too small results are in no other pair.
function adjustedFor(table, task, a, b) {
  const result = (model) => resultOf(table, model, task);
  const models = table.models.filter((model) => result(model) && (model === a || model === b || !result(model).small));
  const pairs = models.flatMap((one, index) => models.slice(index + 1).map((other) => [one, other]));
  const p = pairs.map(([one, other]) => {
    const { x, y, reason } = pairOf(table, one, other, task);
    return reason || !x || !y ? null : correctedTest(x.folds, y.folds).p;
  });
  return holm(p)[pairs.findIndex((pair) => pair.includes(a) && pair.includes(b))];
}

// Which of the two is better: 'a', 'b', or '' where that is not clear.
function verdict(row) {
  if (!row.test || row.p === null) return '';
  return row.p < DATA.alpha ? (row.test.difference > 0 ? 'a' : 'b') : '';
}

function verdictText(row, other) {
  return row.test ? { a: 'A', b: other, '': '' }[verdict(row)] : 'not compared';
}

function summary({ model, letter: name, rows }, a) {
  if (!rows.length) return el('p', {}, a.id + ' and ' + model.id + ' have no task in common.');
  const tested = rows.filter((row) => row.test);
  const wins = (side) => tested.filter((row) => verdict(row) === side).length;
  const reasons = [...new Set(rows.filter((row) => !row.test).map((row) => row.reason))];
  const left = rows.length - tested.length;
  if (!tested.length) return el('p', { class: 'summary' }, 'A and ' + name + ' cannot be compared on any of their ' + count(rows.length, 'task') + ': ' + reasons.join('; ') + '.');
  return el('p', { class: 'summary' },
    'A and ' + name + ', task by task (' + whole(tested.length) + ' compared): ', el('strong', {}, 'A is better on ' + wins('a') + ', ' + name + ' on ' + wins('b')),
    ', undecided on ' + wins('') + '.' + (left ? ' ' + count(left, 'task') + ' not compared: ' + reasons.join('; ') + '.' : ''));
}

function groupTable(table, a, pairs) {
  const rows = table.groups.map((group) => ({ group, x: groupRank(group, a), others: pairs.map(({ model }) => ({ y: groupRank(group, model), ...groupPair(group, a, model) })) }));
  const difference = (row, index) => (row.x && row.others[index].y ? row.x.mean - row.others[index].y.mean : null);
  const of = (name) => (pairs.length > 1 ? ', A and ' + name : '');
  const columns = pairs.flatMap(({ letter: name }, index) => [
    { name, isNumber: true, value: (row) => meanOf(row.others[index].y), cell: (row) => number(meanOf(row.others[index].y)) },
    { name: 'A − ' + name, isNumber: true, value: (row) => difference(row, index), cell: (row) => signed(difference(row, index)) },
    { name: 'p' + of(name), isNumber: true, lowFirst: true, help: 'Of these two models alone, as gene-bench compare has it, on the entities that both have; none where one of the tasks cannot be compared.', value: (row) => row.others[index].alone, cell: (row) => pValue(row.others[index].alone) },
    { name: 'p (all pairs)' + of(name), isNumber: true, lowFirst: true, help: 'The same, adjusted for all pairs of models on this page (Holm), separately for each line.', value: (row) => row.others[index].p, cell: (row) => pValue(row.others[index].p) },
    { name: 'better' + of(name), help: 'By the p-value of all pairs, as the ranks. With fewer than six sources, only where every task points the same way.', value: (row) => (row.others[index].apart ? (difference(row, index) > 0 ? 'A' : name) : '') },
  ]);
  return el('section', {}, el('h3', {}, 'Over tasks'), dataTable({
    key: 'groups.',
    caption: 'Models over groups of tasks',
    rows,
    noun: 'group',
    columns: [
      { name: 'tasks', value: (row) => row.group.name, cell: (row) => words(row.group.name) },
      { name: 'A', isNumber: true, value: (row) => meanOf(row.x), cell: (row) => number(meanOf(row.x)) },
      ...columns,
      { name: 'mean over', value: (row) => row.group.basis },
    ],
  }));
}

function pairFilters(rows) {
  return { filters: [searchFor('Search tasks', (row) => row.task.name), ...facetFilters(rows, (row) => row.task)], isMuted: (row) => !row.task.counted };
}

function pairTable(table, rows, a, b) {
  const difference = (row) => (row.test ? row.test.difference : null);
  const score = (name, of) => ({ name, isNumber: true, help: 'Mean ± standard deviation over folds, on the entities that are compared.', value: (row) => meanOf(of(row)), cell: (row) => meanStd(of(row)), fields: [[name, (row) => meanOf(of(row))], [name + ' std', (row) => (of(row) || { std: null }).std]] });
  const isR2 = (row) => row.task.target === 'regression';
  // Every difference is drawn; the ends of an interval may be cut, so that one wide interval does not flatten the others.
  const reach = (members) => 1.2 * Math.max(0.05, ...members.map((row) => Math.abs(difference(row) || 0)));
  const [scale, scaleR2] = [reach(rows.filter((row) => !isR2(row))), reach(rows.filter(isR2))];
  return dataTable({
    caption: a.id + ' and ' + b.id + ', task by task',
    rows,
    noun: 'task',
    sort: [1, true],
    ...pairFilters(rows),
    columns: [
      { name: 'task', value: (row) => row.task.name, cell: (row) => taskLink(row.task) },
      { name: 'A − B', isNumber: true, value: difference, cell: (row) => signed(difference(row)) },
      score('A', (row) => row.x),
      score('B', (row) => row.y),
      { name: '95\u00a0% interval', isNumber: true, isPicture: true, help: 'Of the difference A − B. ROC-AUC and what numbers are ranked by each have a scale of their own; the ends of wide intervals are cut.', value: difference, cell: (row) => intervalCell(row.test, isR2(row) ? scaleR2 : scale) },
      { name: isBounded(table) ? 'p (Bonferroni)' : 'p (Holm)', isNumber: true, lowFirst: true, value: (row) => row.p, cell: (row) => pValue(row.p) },
      { name: 'better', help: 'Where p is below 0.05, as in the ranks of the task.', value: (row) => verdictText(row, 'B') },
      { name: 'compared on', isNumber: true, help: 'Entities that are compared, of those of the task: what both have.', value: (row) => row.n || null, cell: comparedOn, fields: [['compared on', (row) => row.n], ['of', (row) => row.task.n]] },
      { name: 'family', value: (row) => row.task.family, cell: (row) => words(row.task.family) },
    ],
  });
}

function comparedOn({ task, n }) {
  if (!n) return NOTHING;
  const text = whole(n) + (n === task.n ? '' : ' of ' + whole(task.n));
  return n < DATA.leastCoverage * task.n ? [text, ' ', sign('few genes')] : text;
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
  return [picture, el('span', { class: 'below' }, signed(test.low) + ' to ' + signed(test.high))];
}

// Three models and more: all scores of a task in a line, and which of them differ from A.
function sideBySide(table, a, pairs) {
  const rows = table.tasks.filter((task) => scoreOf(table, a, task) || pairs.some(({ model }) => scoreOf(table, model, task))).map((task) => ({ task, x: scoreOf(table, a, task) }));
  const found = pairs.map((pair) => new Map(pair.rows.map((row) => [row.task, row])));
  const score = (row, pair) => scoreOf(table, pair.model, row.task);
  const columns = pairs.map((pair, index) => ({
    name: pair.letter,
    isNumber: true,
    help: pair.model.id + ': mean ± standard deviation over folds, and whether it is better than A.',
    value: (row) => meanOf(score(row, pair)),
    cell: (row) => {
      const paired = found[index].get(row.task);
      const said = paired ? { A: 'A better', '': 'not clear', [pair.letter]: pair.letter + ' better' }[verdictText(paired, pair.letter)] || 'not compared' : '';
      return [...meanStd(score(row, pair)), el('span', { class: 'below' }, said)];
    },
    fields: [
      [pair.model.id, (row) => meanOf(score(row, pair))],
      [pair.model.id + ' std', (row) => (score(row, pair) || { std: null }).std],
      [pair.model.id + ' p', (row) => (found[index].get(row.task) || { p: null }).p],
    ],
  }));
  return dataTable({
    caption: 'Scores side by side',
    rows,
    noun: 'task',
    ...pairFilters(rows),
    columns: [
      { name: 'task', value: (row) => row.task.name, cell: (row) => taskLink(row.task) },
      { name: 'A', isNumber: true, help: a.id + ': mean ± standard deviation over folds.', value: (row) => meanOf(row.x), cell: (row) => meanStd(row.x), fields: [[a.id, (row) => meanOf(row.x)], [a.id + ' std', (row) => (row.x || { std: null }).std]] },
      ...columns,
      { name: 'scored', isNumber: true, value: ({ task }) => task.n, cell: ({ task }) => scoredOf(table, task) },
      { name: 'family', value: ({ task }) => task.family, cell: ({ task }) => words(task.family) },
    ],
  });
}
