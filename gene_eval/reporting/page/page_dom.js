// Elements and numbers. Text goes in as text nodes only.
const NOTHING = '–';
const SVG = 'http://www.w3.org/2000/svg';

// Short signs beside names and numbers, and what they mean; the signs of a table are explained below it.
const SIGNS = {
  control: 'needs no model: vectors at random or shuffled, labels of related genes, or covariates such as publication counts',
  'not ranked': 'in no mean and in no ranking',
  'too small': DATA.minimum + ': shown, but in no mean and no rank',
  'near a control': 'a control comes within the difference that the task can show (detectable with a chance of 80 %), or is above the model',
  'few genes': 'scored on less than ' + percent(DATA.leastCoverage, 0) + ' of the entities of the task, so that the score is about other genes than that of other models',
};

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

function listed(items) {
  return items.flatMap((item, position) => (position ? [', ', item] : [item]));
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

function percent(share, digits = 1) {
  return (share * 100).toFixed(digits) + '\u00a0%';
}

function whole(n) {
  return n.toLocaleString('en');
}

function range(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? whole(least) : whole(least) + NOTHING + whole(most);
}

function pValue(p) {
  if (p === null || p === undefined) return NOTHING;
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

function plural(n, noun) {
  return n === 1 ? noun : noun.replace(/y$/, 'ie') + 's';
}

function count(n, noun) {
  return whole(n) + ' ' + plural(n, noun);
}

function plusMinus(mean, spread) {
  if (mean === null || mean === undefined) return [NOTHING];
  const node = el('span', { class: 'mean' }, number(mean));
  // The mean over one task has no spread.
  return spread === null ? [node] : [node, el('span', { class: 'std' }, ' ± ' + number(spread))];
}

function meanStd(score) {
  return score ? plusMinus(score.mean, score.std) : [NOTHING];
}

function rankText(rank) {
  if (!rank) return NOTHING;
  return rank.low === null ? String(rank.rank) : rank.rank + ' (' + rank.low + NOTHING + rank.high + ')';
}

function sign(name) {
  return el('span', { class: 'badge', 'data-help': SIGNS[name] }, name);
}

function modelLink(model) {
  const parts = [link(breakable(model.id), 'model', model.id)];
  return model.control ? [...parts, ' ', sign('control')] : parts;
}

function taskLink(task) {
  const parts = [link(breakable(task.name), 'task', task.name)];
  if (!task.ranked) parts.push(' ', sign('not ranked'));
  if (!task.counted) parts.push(' ', sign('too small'));
  if (task.near) parts.push(' ', sign('near a control'));
  return parts;
}

// How many of a task's entities were scored.
function scoredCell(task, result) {
  const text = whole(result.n[0]) + (result.n[0] === task.n ? '' : ' of ' + whole(task.n));
  if (result.small) return [text, ' ', sign('too small')];
  return result.n[0] < DATA.leastCoverage * task.n ? [text, ' ', sign('few genes')] : text;
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

function folded(title, ...content) {
  return el('details', {}, el('summary', {}, title), ...content);
}

function code(text) {
  return el('code', {}, text);
}

function plain(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// The words of a cell on one line, without its buttons and pictures.
function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeName === 'svg' || node.nodeName === 'BUTTON') return '';
  const inner = [...node.childNodes].map(textOf).join('');
  return node.className === 'badge' ? '(' + inner + ')' : node.className === 'below' ? ' ' + inner : inner;
}

// Explanations of what the pointer or the keyboard is on; Escape hides them, and the pointer may move onto them.
function explainOnHover() {
  const tip = el('div', { id: 'tip', hidden: true });
  let hiding = 0;
  const helpOf = (target) => {
    const about = target instanceof Element && target.closest('[data-help], [aria-describedby]');
    if (!about) return null;
    const described = document.getElementById(about.getAttribute('aria-describedby') || '');
    const text = about.dataset.help || (described && described.textContent);
    return text ? { about, text } : null;
  };
  const reveal = (event) => {
    clearTimeout(hiding);
    const help = helpOf(event.target);
    if (!help) return;
    tip.textContent = help.text;
    tip.hidden = false;
    const at = help.about.getBoundingClientRect();
    const below = at.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(4, Math.min(at.left, innerWidth - tip.offsetWidth - 4)) + 'px';
    tip.style.top = (below ? at.bottom + 6 : Math.max(4, at.top - 6 - tip.offsetHeight)) + 'px';
  };
  const hide = () => { tip.hidden = true; };
  const hideSoon = () => {
    clearTimeout(hiding);
    hiding = setTimeout(hide, 150);
  };
  document.body.append(tip);
  addEventListener('mouseover', (event) => { if (event.target === tip) clearTimeout(hiding); else reveal(event); });
  addEventListener('mouseout', hideSoon);
  addEventListener('focusin', (event) => { if (event.target.matches(':focus-visible')) reveal(event); });
  addEventListener('focusout', hideSoon);
  addEventListener('scroll', hide, true);
  addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
}
