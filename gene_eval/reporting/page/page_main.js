// Which view is shown, and what stands around it.
const VIEWS = { leaderboard: leaderboardView, tasks: tasksView, compare: compareView, provenance: provenanceView, task: taskView, label: labelView, model: modelView, search: searchView };
const NAVIGATION = ['leaderboard', 'tasks', 'compare', 'provenance'];
const LISTS = { task: 'tasks', label: 'tasks', model: 'leaderboard' };

function heading(text, ...more) {
  state.title = text;
  return el('h2', { tabindex: '-1' }, text, ...more.filter(Boolean).flatMap((each) => [' ', each]));
}

function missing(kind, name) {
  return [heading('No such ' + kind), el('p', {}, 'There is no ' + kind + ' ' + name + ' in these results. ', link('To the leaderboard', 'leaderboard'))];
}

// `isSame`: what is shown changes by a choice in it, so that the reader stays where they are.
function show({ isSame = false } = {}) {
  const { table, view, names, query } = readAddress(location.hash);
  Object.assign(state, { table: table.key, view, names, query });
  const focused = isSame && document.activeElement && document.activeElement.id;
  const main = document.getElementById('main');
  const lacking = lackingParts(table, view, names);
  main.replaceChildren(...(lacking.length ? waitingView(lacking) : VIEWS[view](table, ...names)).filter(Boolean));
  document.title = state.title + ' · gene-bench';
  const current = LISTS[view] || view;
  const links = NAVIGATION.map((name) => {
    const node = link(name[0].toUpperCase() + name.slice(1), name);
    if (name === current) node.setAttribute('aria-current', 'page');
    return node;
  });
  document.getElementById('nav').replaceChildren(...links);
  document.getElementById('settings').replaceChildren(...axisChoosers(table));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const search = document.getElementById('search');
  const sought = view === 'search' ? query.get('q') || '' : '';
  if (search.value.trim() !== sought) search.value = sought;
}

// Until the parts of a view are there; then it is drawn, if the reader has not gone elsewhere.
function waitingView(lacking) {
  const here = location.hash;
  const status = el('p', { role: 'status' }, 'Reading ' + count(lacking.length, 'file') + ' beside this page.');
  loadParts(lacking).then(
    () => { if (location.hash === here) show(); },
    (error) => { status.textContent = error.message; },
  );
  return [heading('Loading'), status];
}

// A choice for each axis in which tables differ: split, head, protocol, ...
function axisChoosers(table) {
  const axes = Object.keys(table.axes).map((axis) => ({ axis, values: [...new Set(TABLES.map((each) => each.axes[axis]))] }));
  return axes.filter(({ values }) => values.length > 1).map(({ axis, values }) => {
    const change = (event) => {
      const next = nearestTable(table, axis, event.target.value);
      location.hash = addressOf(next.key, [state.view, ...state.names], state.query);
    };
    const options = values.map((value) => el('option', { value, selected: value === table.axes[axis] }, value));
    return el('label', {}, words(axis) + ' ', el('select', { id: 'axis-' + axis, 'aria-label': words(axis), onchange: change }, options));
  });
}

// The table with that value, and with as much else in common as there is.
function nearestTable(table, axis, value) {
  const common = (other) => Object.keys(table.axes).filter((each) => other.axes[each] === table.axes[each]).length;
  return TABLES.filter((each) => each.axes[axis] === value).reduce((best, each) => (common(each) > common(best) ? each : best));
}

function moved() {
  const active = document.activeElement;
  // Whoever is choosing or writing goes on with it.
  const isSame = active.id === 'search' || Boolean(active.closest('#settings, .filters'));
  show({ isSame });
  if (isSame) return;
  scrollTo(0, 0);
  document.querySelector('main h2').focus({ preventScroll: true });
}

function start() {
  const search = document.getElementById('search');
  search.addEventListener('input', () => {
    const query = new Map(search.value.trim() ? [['q', search.value.trim()]] : []);
    const target = addressOf(state.table, ['search'], query);
    // One entry in the history for a search, however many letters it has.
    if (state.view === 'search') location.replace(target);
    else location.hash = target;
  });
  document.getElementById('footer').append('gene-bench ' + DATA.version + ' · ' + TABLES.map((table) => table.settings).join(' · ') + ' · computed from result files only');
  document.querySelector('.skip').addEventListener('click', (event) => {
    // Its address would be taken for a view.
    event.preventDefault();
    document.getElementById('main').focus();
  });
  addEventListener('hashchange', moved);
  explainOnHover();
  show();
}

start();
