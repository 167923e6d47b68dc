// What is on the screen, all of it in the address: #TABLE/VIEW/NAME/...?KEY=VALUE&...
const state = { table: '', view: '', names: [], query: new Map(), title: '' };

function readAddress(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?');
  let table, view, names, pairs;
  try {
    [table, view, ...names] = path.split('/').map(decodeURIComponent);
    pairs = query.split('&').filter(Boolean).map((each) => each.split('=').map(decodeURIComponent));
  } catch {
    [table, view, names, pairs] = ['', '', [], []];
  }
  return {
    table: tableOf(table) || tableOf('default') || TABLES[0],
    view: Object.hasOwn(VIEWS, view || '') ? view : 'leaderboard',
    names,
    query: new Map(pairs.map(([key, value = '']) => [key, value])),
  };
}

function tableOf(key) {
  return TABLES.find((each) => each.key === key);
}

function addressOf(table, path, query = new Map()) {
  const parts = [...query].map((pair) => pair.map(encodeURIComponent).join('='));
  return '#' + [table, ...path].map(encodeURIComponent).join('/') + (parts.length ? '?' + parts.join('&') : '');
}

function address(...path) {
  return addressOf(state.table, path);
}

// Keep a choice in the address without drawing the view again; an empty value is none.
function remember(key, value) {
  if (value) state.query.set(key, value);
  else state.query.delete(key);
  history.replaceState(null, '', addressOf(state.table, [state.view, ...state.names], state.query));
}

// Keep a choice and draw the view again.
function choose(key, value) {
  remember(key, value);
  show({ isSame: true });
}
