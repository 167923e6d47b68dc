// Which view is shown: #TABLE/VIEW/NAME/NAME
const VIEWS = { leaderboard: leaderboardView, tasks: tasksView, compare: compareView, provenance: provenanceView, task: taskView, model: modelView };
const NAVIGATION = ['leaderboard', 'tasks', 'compare', 'provenance'];
const LISTS = { task: 'tasks', model: 'leaderboard' };
const state = { table: 0, title: '' };

function heading(text, ...more) {
  state.title = text;
  return el('h2', { tabindex: '-1' }, text, ...more.filter(Boolean).flatMap((each) => [' ', each]));
}

function missing(kind, name) {
  return [heading('No such ' + kind), el('p', {}, 'There is no ' + kind + ' ' + name + ' in these results. ', link('To the leaderboard', 'leaderboard'))];
}

function route() {
  let segments;
  try {
    segments = location.hash.slice(1).split('/').map(decodeURIComponent);
  } catch {
    segments = [];
  }
  const table = Number(segments[0]);
  const view = Object.hasOwn(VIEWS, segments[1] || '') ? segments[1] : 'leaderboard';
  return { table: Number.isInteger(table) && TABLES[table] ? table : 0, view, names: segments.slice(2) };
}

function show(isFirst) {
  const { table, view, names } = route();
  state.table = table;
  const nodes = VIEWS[view](TABLES[table], ...names);
  const main = document.getElementById('main');
  main.replaceChildren(...nodes.filter(Boolean));
  document.title = state.title + ' · gene-bench';
  const current = LISTS[view] || view;
  const links = NAVIGATION.map((name) => {
    const node = link(name[0].toUpperCase() + name.slice(1), name);
    if (name === current) node.setAttribute('aria-current', 'page');
    return node;
  });
  document.getElementById('nav').replaceChildren(...links);
  if (!isFirst) {
    scrollTo(0, 0);
    main.querySelector('h2').focus({ preventScroll: true });
  }
}

function start() {
  const settings = document.getElementById('settings');
  const select = settings.querySelector('select');
  settings.hidden = TABLES.length < 2;
  select.append(...TABLES.map((table, index) => el('option', { value: index }, table.settings)));
  select.addEventListener('change', () => { location.hash = '#' + select.value + '/leaderboard'; });
  document.getElementById('footer').append('gene-bench ' + DATA.version + ' · ' + TABLES.map((table) => table.settings).join(' · ') + ' · computed from result files only');
  document.querySelector('.skip').addEventListener('click', (event) => {
    // Its address would be taken for a view.
    event.preventDefault();
    document.getElementById('main').focus();
  });
  addEventListener('hashchange', () => { select.value = route().table; show(false); });
  select.value = route().table;
  show(true);
}

start();
