// Elements, numbers and tables. Text goes in as text nodes only.
const NOTHING = '–';
const SVG = 'http://www.w3.org/2000/svg';

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Long names may break after these.
function breakable(text) {
  return text.split(/(?<=[/:_])/).flatMap((part, position) => (position ? [el('wbr', {}), part] : [part]));
}

function link(text, ...path) {
  return el('a', { href: address(...path) }, text);
}

function address(...path) {
  return '#' + [state.table, ...path].map(encodeURIComponent).join('/');
}

function words(name) {
  return name.replaceAll('_', ' ');
}

// Without the sign of what is zero as written.
function fixed(value, digits) {
  return value.toFixed(digits).replace(/^-(?=0\.?0*$)/, '');
}

function number(value, digits = 3) {
  return value === null || value === undefined ? NOTHING : fixed(value, digits);
}

function signed(value) {
  return value === null ? NOTHING : (value > 0 ? '+' : '') + fixed(value, 3);
}

function pValue(p) {
  if (p === null || p === undefined) return NOTHING;
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

function count(n, noun) {
  return n.toLocaleString('en') + ' ' + noun + (n === 1 ? '' : 's');
}

function meanStd(score) {
  if (!score) return [NOTHING];
  const mean = el('span', { class: 'mean' }, number(score.mean));
  // The mean over one task has no spread.
  return score.std === null ? [mean] : [mean, el('span', { class: 'std' }, ' ± ' + number(score.std))];
}

function rankText(rank) {
  if (!rank) return NOTHING;
  return rank.low === null ? String(rank.rank) : rank.rank + ' (' + rank.low + NOTHING + rank.high + ')';
}

function modelLink(model) {
  const parts = [link(breakable(model.id), 'model', model.id)];
  if (model.control) parts.push(' ', el('span', { class: 'badge', title: 'vectors that know nothing about genes: the floor' }, 'control'));
  return parts;
}

// Shade by where a value lies between low and high.
function shade(node, value, low, high) {
  if (value === null || high <= low) return node;
  const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
  node.style.setProperty('--share', (share * 100).toFixed(0) + '%');
  node.classList.add('shaded');
  return node;
}

// A list of terms; long hashes break anywhere.
function definitions(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return el('dl', {}, shown.map(([term, value]) => [el('dt', {}, term), el('dd', {}, value)]));
}

function code(text) {
  return el('code', {}, text);
}

function plain(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// A table whose columns sort and whose rows can be filtered.
//   columns: [{name, value(row), cell(row), isNumber, isPicture, lowFirst, title}], the first one names the row
//   filters: [{name, options} or {name}], matches(row, [chosen, ...]) says what stays
function dataTable({ caption, columns, rows, sort, filters = [], matches, noun, details }) {
  const order = { column: sort ? sort[0] : null, descending: sort ? sort[1] : false };
  const status = el('p', { class: 'status', role: 'status' });
  const body = el('tbody', {});
  const inputs = filters.map((filter) => filterInput(filter, () => fill()));
  const heads = columns.map((column, index) => {
    const button = el('button', { type: 'button', onclick: () => sortBy(index) }, column.name);
    return el('th', { scope: 'col', class: alignment(column), title: column.title }, button);
  });

  function sortBy(index) {
    const first = Boolean(columns[index].isNumber) !== Boolean(columns[index].lowFirst);
    order.descending = order.column === index ? !order.descending : first;
    order.column = index;
    fill();
  }

  function compare(a, b) {
    const value = columns[order.column].value;
    const [x, y] = [value(a), value(b)];
    // What is not there goes last, whichever way the table is sorted.
    if (x === null || y === null) return (x === null) - (y === null);
    const way = typeof x === 'string' ? x.localeCompare(y, 'en') : x - y;
    return order.descending ? -way : way;
  }

  function fill() {
    heads.forEach((head, index) => {
      const way = order.descending ? 'descending' : 'ascending';
      head.setAttribute('aria-sort', index === order.column ? way : 'none');
    });
    const chosen = inputs.map((input) => input.control.value.trim().toLowerCase());
    const kept = rows.filter((row) => !matches || matches(row, chosen));
    const shown = order.column === null ? kept : [...kept].sort(compare);
    body.replaceChildren(...shown.flatMap((row) => rowOf(row)));
    if (!shown.length) body.append(el('tr', {}, el('td', { colspan: columns.length, class: 'empty' }, 'Nothing matches.')));
    status.textContent = filters.length ? shown.length + ' of ' + count(rows.length, noun) : '';
  }

  function rowOf(row) {
    const cells = columns.map((column, index) => {
      const tag = index === 0 ? 'th' : 'td';
      const cell = el(tag, { scope: index === 0 ? 'row' : null, class: alignment(column) });
      const content = column.cell ? column.cell(row, cell) : column.value(row);
      cell.append(...[content === null ? NOTHING : content].flat());
      return cell;
    });
    const line = el('tr', { class: row.control || (row.model && row.model.control) ? 'control' : null }, cells);
    if (!details) return [line];
    const more = el('tr', { class: 'details', hidden: true }, el('td', { colspan: columns.length }));
    const button = el('button', { type: 'button', class: 'more', 'aria-expanded': 'false', 'aria-label': 'Provenance of ' + details.name(row) }, 'provenance');
    button.addEventListener('click', () => {
      if (!more.firstChild.hasChildNodes()) more.firstChild.append(details.content(row));
      more.hidden = !more.hidden;
      button.setAttribute('aria-expanded', String(!more.hidden));
    });
    cells[cells.length - 1].append(' ', button);
    return [line, more];
  }

  fill();
  const table = el('table', {}, el('caption', { class: 'hidden' }, caption), el('thead', {}, el('tr', {}, heads)), body);
  const scroller = el('div', { class: 'scroller', role: 'region', 'aria-label': caption, tabindex: '0' }, table);
  const bar = inputs.length ? el('div', { class: 'filters', role: 'search' }, inputs.map((input) => input.label), status) : null;
  return el('div', {}, bar, scroller);
}

function alignment(column) {
  return column.isNumber && !column.isPicture ? 'number' : null;
}

function filterInput({ name, options }, changed) {
  const control = options
    ? el('select', { onchange: changed, 'aria-label': name }, el('option', { value: '' }, 'all'), options.map((option) => el('option', { value: option }, words(option))))
    : el('input', { type: 'search', oninput: changed, 'aria-label': name, autocomplete: 'off', spellcheck: 'false' });
  return { control, label: el('label', {}, name + ' ', control) };
}
