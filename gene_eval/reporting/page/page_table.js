// A table whose columns sort, whose rows are filtered, and that can be copied; its state is in the address.
//   columns: [{name, value(row), cell(row, node), isNumber, isPicture, lowFirst, help, fields}], the first one names the
//     row; `fields`, [[name, value(row)], ...], are what is copied as CSV where that is not the value
//   filters: [{name, key, text(row)} or {name, key, options, of(row)}], see searchFor and facetFilters
//   keep(row): rows that no search hides; details: [{name, of(row), content(row)}] folded below a row
//   key: what its state is kept under, where a view has several tables
function dataTable({ caption, columns, rows, sort, filters = [], keep = () => false, noun, details = [], key = '', isMuted = () => false }) {
  const order = readSort() || { column: sort ? sort[0] : null, descending: sort ? sort[1] : false };
  const status = el('p', { class: 'status', role: 'status' });
  const body = el('tbody', {});
  const legend = el('ul', { class: 'legend' });
  const made = new Map();
  let shown = [];
  const inputs = filters.map((filter) => filterInput(filter, key + filter.key, fill));
  const ids = columns.map((column, index) => (column.help ? 'about-' + (key || 'main') + '-' + index : null));
  const heads = columns.map((column, index) => {
    const button = el('button', { type: 'button', onclick: () => sortBy(index), 'aria-describedby': ids[index] }, breakable(column.name));
    return el('th', { scope: 'col', class: alignment(column) }, button);
  });

  function readSort() {
    const [name, way] = (state.query.get(key + 'sort') || '').split('.');
    const column = columns.findIndex((each) => shortName(each.name) === name);
    return column < 0 ? null : { column, descending: way === 'down' };
  }

  function sortBy(index) {
    const first = Boolean(columns[index].isNumber) !== Boolean(columns[index].lowFirst);
    order.descending = order.column === index ? !order.descending : first;
    order.column = index;
    const isDefault = sort && sort[0] === index && sort[1] === order.descending;
    remember(key + 'sort', isDefault ? '' : shortName(columns[index].name) + '.' + (order.descending ? 'down' : 'up'));
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
    const kept = rows.filter((row) => inputs.every((input) => (input.isSearch && keep(row)) || input.passes(row)));
    shown = order.column === null ? kept : [...kept].sort(compare);
    body.replaceChildren(...shown.flatMap(linesOf));
    if (!shown.length) body.append(el('tr', {}, el('td', { colspan: columns.length, class: 'empty' }, 'Nothing matches.')));
    status.textContent = (shown.length < rows.length ? whole(shown.length) + ' of ' : '') + count(rows.length, noun);
    const signs = new Set([...body.querySelectorAll('.badge')].map((node) => node.textContent));
    legend.replaceChildren(...Object.keys(SIGNS).filter((name) => signs.has(name)).map((name) => el('li', {}, sign(name), ' ' + SIGNS[name])));
  }

  function linesOf(row) {
    if (!made.has(row)) made.set(row, makeLines(row));
    return made.get(row);
  }

  function makeLines(row) {
    const cells = columns.map((column, index) => {
      const cell = el(index ? 'td' : 'th', { scope: index ? null : 'row', class: alignment(column) });
      const content = column.cell ? column.cell(row, cell) : column.value(row);
      cell.append(...[content === null ? NOTHING : content].flat());
      return cell;
    });
    const isControl = row.control || (row.model && row.model.control);
    const line = el('tr', { class: isControl ? 'control' : isMuted(row) ? 'muted' : null }, cells);
    return [line, ...details.map((detail) => detailLine(row, detail, cells[0])).filter(Boolean)];
  }

  function detailLine(row, detail, cell) {
    if (detail.isFor && !detail.isFor(row)) return null;
    const more = el('tr', { class: 'details', hidden: true }, el('td', { colspan: columns.length }));
    const button = el('button', { type: 'button', class: 'more', 'aria-expanded': 'false', 'aria-label': detail.name + ' of ' + detail.of(row) }, detail.name.toLowerCase());
    button.addEventListener('click', () => {
      if (!more.firstChild.hasChildNodes()) more.firstChild.append(detail.content(row));
      more.hidden = !more.hidden;
      button.setAttribute('aria-expanded', String(!more.hidden));
    });
    cell.append(' ', button);
    return more;
  }

  fill();
  const table = el('table', {}, el('caption', { class: 'hidden' }, caption), el('thead', {}, el('tr', {}, heads)), body);
  const scroller = el('div', { class: 'scroller', role: 'region', 'aria-label': caption, tabindex: '0' }, table);
  const explained = columns.flatMap((column, index) => (column.help ? [el('dt', {}, column.name), el('dd', { id: ids[index] }, column.help)] : []));
  const copied = () => { status.textContent = count(shown.length, 'row') + ' copied'; };
  const bar = inputs.length ? el('div', { class: 'filters', role: 'search' }, inputs.map((input) => input.label)) : null;
  const copy = el('div', { class: 'copy' },
    status,
    el('button', { type: 'button', 'aria-label': 'Copy as CSV: ' + caption, onclick: () => copyText(toCsv(columns, shown), copied) }, 'Copy CSV'),
    el('button', { type: 'button', 'aria-label': 'Copy as Markdown: ' + caption, onclick: () => copyText(toMarkdown(columns, shown.map((row) => linesOf(row)[0])), copied) }, 'Copy Markdown'));
  return el('div', {}, bar, scroller, copy, legend, explained.length ? folded('What the columns mean', el('dl', {}, explained)) : null);
}

// A column as addresses name it.
function shortName(name) {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
}

function alignment(column) {
  return column.isNumber && !column.isPicture ? 'number' : null;
}

// Every word has to be there; an underscore is as good as a space.
function hasWords(text, sought) {
  return words(sought).toLowerCase().split(/\s+/).every((word) => words(text).toLowerCase().includes(word));
}

function searchFor(name, text) {
  return { name, key: 'q', text };
}

// A choice for each thing that differs between the tasks of the rows.
function facetFilters(rows, taskOf) {
  const names = Object.keys((rows.length && taskOf(rows[0]).facets) || {});
  const all = names.map((name) => {
    const of = (row) => taskOf(row).facets[name] || [];
    return { name: name[0].toUpperCase() + words(name).slice(1), key: name, of, options: [...new Set(rows.flatMap(of))] };
  });
  return all.filter((filter) => filter.options.length > 1);
}

function filterInput({ name, options, of, text }, key, changed) {
  const update = () => {
    remember(key, control.value.trim());
    changed();
  };
  const control = options
    ? el('select', { onchange: update, 'aria-label': name }, el('option', { value: '' }, 'all'), options.map((option) => el('option', { value: option }, words(option))))
    : el('input', { type: 'search', oninput: update, 'aria-label': name, autocomplete: 'off', spellcheck: 'false' });
  control.value = state.query.get(key) || '';
  // A link may name what is no longer there.
  if (options && control.selectedIndex < 0) control.value = '';
  const passes = (row) => !control.value.trim() || (options ? of(row).includes(control.value) : hasWords(text(row), control.value.trim()));
  return { control, passes, isSearch: !options, label: el('label', {}, name + ' ', control) };
}

// A spreadsheet takes no text for a formula (as gene_eval.text:cell).
function csvCell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = /^\s*[=+\-@]/.test(value) ? "'" + value : value;
  return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function toCsv(columns, rows) {
  const fields = columns.filter((column) => !column.isPicture).flatMap((column) => column.fields || [[column.name, column.value]]);
  const lines = [fields.map(([name]) => name), ...rows.map((row) => fields.map(([, value]) => value(row)))];
  return lines.map((line) => line.map(csvCell).join(',')).join('\n') + '\n';
}

function toMarkdown(columns, lines) {
  const row = (cells) => '| ' + cells.map((cell) => cell.replace(/\s+/g, ' ').trim().replace(/[\\|<>[\]`*]/g, '\\$&')).join(' | ') + ' |';
  const rules = columns.map((column) => (alignment(column) ? '---:' : '---'));
  return [row(columns.map((column) => column.name)), '| ' + rules.join(' | ') + ' |', ...lines.map((line) => row([...line.cells].map(textOf)))].join('\n') + '\n';
}

async function copyText(text, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Where the page may not use the clipboard, as in a frame: the old way.
    const area = el('textarea', { class: 'hidden', readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  done();
}
