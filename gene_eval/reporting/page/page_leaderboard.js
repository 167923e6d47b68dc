// The leaderboard: all models over a group of tasks, by rank, and an answer in words.

// More tasks than this are not shown as columns of their own.
const MOST_TASKS = 40;

function leaderboardView(table) {
  const group = table.groups.find((each) => each.name === state.query.get('over')) || table.groups[0];
  if (!group) return trialView(table);
  const columns = [
    { name: 'model', value: (model) => model.id.toLowerCase(), cell: modelLink, fields: [['model', (model) => model.id], ['control', (model) => String(Boolean(model.control))]] },
    ...(group.basis ? [orderColumn(table, group), rankColumn(table, group)] : []),
    spreadColumn(table, group, 'over tasks'),
    coverageColumn(table, group),
    ...beside(table, group),
  ];
  return [
    heading('Leaderboard'),
    table.groups.length > 1 ? el('div', { class: 'filters' }, groupChooser(table, group)) : null,
    answer(table, group),
    dataTable({
      caption: 'Leaderboard',
      columns,
      rows: table.models,
      sort: group.basis ? [2, false] : null,
      filters: [searchFor('Search models', (model) => model.id)],
      // Controls stay in sight.
      keep: (model) => model.control,
      noun: 'model',
    }),
    folded('How to read means and ranks', ...reading(group)),
    tieNotes(table, group),
    ...(group === table.groups[0] ? table.groups.filter(isBeyond).map((each) => beyondSection(table, each)) : []),
    notes(table),
  ];
}

// The tasks beyond the paper, which are never mixed with others.
function isBeyond(group) {
  return group.name.startsWith('@extended');
}

function beyondSection(table, group) {
  return el('section', {},
    el('h3', {}, 'Beyond the paper: ' + words(group.name)),
    answer(table, group),
    dataTable({
      caption: 'Beyond the paper: ' + words(group.name),
      key: shortName(group.name),
      columns: [
        { name: 'model', value: (model) => model.id.toLowerCase(), cell: modelLink, fields: [['model', (model) => model.id]] },
        ...(group.basis ? [orderColumn(table, group), rankColumn(table, group)] : []),
        spreadColumn(table, group, 'over tasks'),
        ...group.tasks.slice(0, MOST_TASKS).map((index) => taskColumn(table, table.tasks[index])),
      ],
      rows: table.models,
      sort: group.basis ? [2, false] : null,
      keep: (model) => model.control,
      noun: 'model',
    }));
}

// Tasks that are in no mean: each stands for itself.
function trialView(table) {
  return [
    heading('Leaderboard'),
    el('p', {}, 'These tasks are in no mean and in no ranking: they are for trying things out, or too small.'),
    dataTable({
      caption: 'Leaderboard',
      columns: [
        { name: 'model', value: (model) => model.id.toLowerCase(), cell: modelLink, fields: [['model', (model) => model.id]] },
        ...table.tasks.slice(0, MOST_TASKS).map((task) => taskColumn(table, task)),
        coverageColumn(table, { tasks: table.tasks.map((task) => task.index) }),
      ],
      rows: table.models,
      filters: [searchFor('Search models', (model) => model.id)],
      keep: (model) => model.control,
      noun: 'model',
    }),
    notes(table),
  ];
}

function groupChooser(table, group) {
  const options = table.groups.map((each) => el('option', { value: each.name, selected: each === group }, words(each.name) + ' (' + (each.of ? whole(each.tasks.length) + ' of ' : '') + count(each.of || each.tasks.length, 'task') + ')'));
  const change = (event) => choose('over', event.target.value === table.groups[0].name ? '' : event.target.value);
  return el('label', {}, 'Tasks ', el('select', { 'aria-label': 'Tasks', id: 'over', onchange: change }, options));
}

// Which model is best, how sure that is, and on how many genes.
function answer(table, group) {
  const ranked = table.models.filter((model) => groupRank(group, model));
  if (!ranked.length && table.axes.head !== 'linear') return el('p', { class: 'answer' }, 'Results of the head ' + table.axes.head + ' are not ranked: each task has what they differ by from the linear head.');
  if (!ranked.length && DATA.unrankedSplits.includes(table.axes.split)) return el('p', { class: 'answer' }, 'Results of the split ' + table.axes.split + ' are not ranked: each task has what scores are less than on random folds.');
  if (!ranked.length) return el('p', { class: 'answer' }, 'No model has a score on every task of ' + words(group.name) + ': there is no mean and no rank.');
  const best = ranked.reduce((first, model) => (groupRank(group, model).rank < groupRank(group, first).rank ? model : first));
  const rank = groupRank(group, best);
  const others = ranked.filter((model) => model !== best);
  const untested = others.filter((model) => groupPair(group, best, model).p === null);
  const alike = others.filter((model) => !untested.includes(model) && !groupPair(group, best, model).apart);
  const names = (models) => listed(models.map((model) => link(model.id, 'model', model.id)));
  const absent = table.models.length - ranked.length;
  const where = group === table.groups[0] ? 'Overall' : words(group.name)[0].toUpperCase() + words(group.name).slice(1);
  const sure = [];
  if (others.length && rank.low !== null) {
    sure.push(rank.high > 1 ? ' Its rank may be anything from ' + rank.low + ' to ' + rank.high + ' (95\u00a0%)' : ' Its first rank is clear (95\u00a0%)');
    sure.push(alike.length ? [': not distinguished from ', ...names(alike)] : '', '.');
  }
  if (alike.includes(second(group, others))) sure.push(...aheadOf(table, group, best, second(group, others)));
  if (untested.length) sure.push(' Not comparable with ', ...names(untested), ' (see Compare for the reason).');
  if (others.length && !group.basis.includes('source')) sure.push(' This is about these tasks only: they come from fewer than six sources.');
  const scored = resultsOf(table, best, group.tasks);
  return el('p', { class: 'answer' }, where + ': ', el('strong', {}, link(best.id, 'model', best.id)), ' is first of ' + count(ranked.length, 'model') + (absent ? ' (' + whole(absent) + ' more without a score on all of its tasks)' : '') + ', mean ' + metricName(group.metric) + ' ',
    plusMinus(rank.mean, rank.error), rank.error === null ? '' : ' (standard error)', ' over ' + group.basis + '.', sure, ' Scored on ' + range(scored.map((result) => result.n[0])) + ' ' + plural(2, entityOf(table, group.tasks)) + (group.tasks.length > 1 ? ' a task.' : '.'));
}

function second(group, others) {
  return others.reduce((first, model) => (!first || groupRank(group, model).rank < groupRank(group, first).rank ? model : first), null);
}

// On how many tasks the best model has the higher score, of those on which the two are compared.
function aheadOf(table, group, best, next) {
  const pairs = group.tasks.map((index) => pairOf(table, best, next, table.tasks[index])).filter((pair) => pair.x && pair.y);
  const ahead = pairs.filter((pair) => pair.x.mean > pair.y.mean).length;
  return [' It is ahead of ' + next.id + ', the second, on ' + ahead + ' of ' + count(pairs.length, 'task') + '.'];
}

function reading(group) {
  const lines = [
    'Only models with every task of a column have a number in it. ROC-AUC: 0.5 is chance, 1 is perfect. Regression tasks are ranked by Spearman’s rank correlation (by R2 where a ridge penalty is fitted) and are in no other mean.',
    'Ranks are by the mean, with simultaneous 95\u00a0% intervals: as many models are better, and as many worse, as differ from this one after Holm’s correction over all pairs (with fewer than six sources, only where every task points the same way).',
  ];
  if (group.basis.includes('source')) lines.push('Every source counts once (' + group.basis + '), so that a source with many tasks does not decide the rank.');
  return lines.map((line) => el('p', {}, line));
}

function notes(table) {
  const lines = [...table.warnings, ...DATA.problems.map((line) => 'left out: ' + line)];
  if (!lines.length) return null;
  return el('details', { class: 'notes', open: lines.length < 4 }, el('summary', {}, count(lines.length, 'thing') + ' to keep in mind'), el('ul', {}, lines.map((line) => el('li', {}, line))));
}

function tieNotes(table, group) {
  const runs = group.ties.filter((run) => run.length > 1);
  if (!runs.length) return null;
  const lines = runs.map((run) => el('li', {}, listed(run.map((index) => link(table.models[index].id, 'model', table.models[index].id)))));
  return el('section', {}, el('h3', {}, 'Not distinguished'), el('p', {}, 'Models between which no difference was found (' + words(group.name) + ', p of 0.05 or more after Holm’s correction); a model may be in several lines.'), el('ul', {}, lines));
}

// What the rows are ordered by.
function orderColumn(table, group) {
  const rank = (model) => groupRank(group, model);
  return {
    name: 'mean ± standard error',
    isNumber: true,
    help: 'Mean ' + metricName(group.metric) + ' over ' + group.basis + ', and the standard error of that mean; the rank is by it.',
    value: (model) => meanOf(rank(model)),
    cell: (model) => (rank(model) ? plusMinus(rank(model).mean, rank(model).error) : [NOTHING, lacking(group, model, table)]),
    fields: [['mean', (model) => meanOf(rank(model))], ['standard error', (model) => (rank(model) ? rank(model).error : null)]],
  };
}

// Why a model has no mean: how many of the tasks it was scored on.
function lacking(group, model, table) {
  const results = resultsOf(table, model, group.tasks);
  const small = results.filter((result) => result.small).length;
  const text = results.length - small + ' of ' + count(group.tasks.length, 'task') + (small ? ',\n' + small + ' too small' : '');
  return el('span', { class: 'below' }, text);
}

function rankColumn(table, group) {
  const rank = (model) => groupRank(group, model);
  return {
    name: 'rank (95\u00a0% interval)',
    isNumber: true,
    lowFirst: true,
    help: 'Rank by the mean over ' + group.basis + ', 1 is best, and its simultaneous 95\u00a0% interval. It orders the rows.',
    value: (model) => (rank(model) ? rank(model).rank : null),
    cell: (model) => rankCell(rank(model), table.models.length),
    fields: ['rank', 'low', 'high'].map((key) => [key, (model) => (rank(model) ? rank(model)[key] : null)]),
  };
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

// Mean and standard deviation over the tasks of a group, as papers show them.
function spreadColumn(table, group, name = words(group.name) + ' (' + group.tasks.length + ')') {
  const means = table.models.filter((model) => !model.control).map((model) => groupMean(group, model)).filter(Boolean).map((mean) => mean.mean);
  const isOther = name !== 'over tasks';
  return {
    name: isOther ? name : 'mean ± spread over tasks',
    isNumber: true,
    help: 'Mean ' + metricName(group.metric) + ' over ' + count(group.tasks.length, 'task') + ' (every task counts once) ± standard deviation over tasks, which is no error of the mean.' + (isOther && group.basis ? ' Below it, the rank over ' + group.basis + '.' : ''),
    value: (model) => meanOf(groupMean(group, model)),
    cell: (model, cell) => {
      const mean = groupMean(group, model);
      if (!mean) return isOther ? NOTHING : [NOTHING, lacking(group, model, table)];
      if (!model.control) shade(cell, mean.mean, Math.min(...means), Math.max(...means));
      return isOther ? [...meanStd(mean), el('span', { class: 'below' }, rankText(groupRank(group, model)))] : meanStd(mean);
    },
    fields: [[words(group.name) + ' mean over tasks', (model) => meanOf(groupMean(group, model))], [words(group.name) + ' standard deviation', (model) => (groupMean(group, model) || { std: null }).std]],
  };
}

// Share of the entities of the tasks that a model was scored on.
function coverageColumn(table, group) {
  const results = (model) => resultsOf(table, model, group.tasks);
  const sum = (model, value) => results(model).reduce((total, result) => total + value(result), 0);
  const share = (model) => (results(model).length ? sum(model, (result) => result.n[0]) / sum(model, (result) => table.tasks[result.t].n) : null);
  return {
    name: plural(2, entityOf(table, group.tasks)) + ' scored',
    isNumber: true,
    help: 'Share of the entities of these tasks that the model was scored on; below it, how many in the smallest and in the largest task. Models are compared on the genes that both have; see Compare.',
    value: share,
    cell: (model) => {
      if (share(model) === null) return NOTHING;
      const marked = share(model) < DATA.leastCoverage ? [' ', sign('few genes')] : [];
      return [percent(share(model)), ...marked, el('span', { class: 'below' }, range(results(model).map((result) => result.n[0])) + (group.tasks.length > 1 ? ' a task' : ''))];
    },
    fields: [['share scored', share], ['tasks scored', (model) => results(model).length]],
  };
}

// What a group is made of: its tasks; of all tasks, the other groups.
function beside(table, group) {
  const isAll = group === table.groups[0] && table.groups.length > 1;
  if (isAll) return table.groups.filter((each) => each !== group && !isBeyond(each)).map((each) => spreadColumn(table, each));
  return group.tasks.length > MOST_TASKS ? [] : group.tasks.map((index) => taskColumn(table, table.tasks[index]));
}

function taskColumn(table, task) {
  const score = (model) => scoreOf(table, model, task);
  return {
    name: words(task.name),
    isNumber: true,
    help: task.metric + ', mean ± standard deviation over folds; ' + count(task.n, words(task.entity)) + '. Below it, how many were scored where that is not all.',
    value: (model) => meanOf(score(model)),
    cell: (model) => {
      const result = resultOf(table, model, task);
      const isPart = result && result.n[0] !== task.n;
      return isPart ? [...meanStd(score(model)), el('span', { class: 'below' }, whole(result.n[0]) + ' of ' + whole(task.n) + (result.small ? ',\ntoo small' : ''))] : meanStd(score(model));
    },
    fields: [[task.name, (model) => meanOf(score(model))], [task.name + ' std', (model) => (score(model) || { std: null }).std]],
  };
}
