// Of a page in parts: what a view needs beyond the lists, loaded as scripts from the folder beside the page.
const received = new Map();

// Each part is a call of this.
function takePart(name, stamp, content) {
  received.set(name, { stamp, content });
}

// Names of the parts of a view that are not there yet.
function lackingParts(table, view, names) {
  if (!table.isParted) return [];
  const place = String(TABLES.indexOf(table));
  const model = (each) => place + '-m' + each.index;
  const task = table.tasks.find((each) => each.name === names[0]);
  const wanted = {
    task: () => (task ? [place + '-t' + task.index] : []),
    label: () => (task ? [place + '-t' + task.index] : []),
    model: () => table.models.filter((each) => each.id === names[0]).map(model),
    compare: () => (table.models.length > 1 ? chosenModels(table, names).map(model) : []),
  }[view];
  return wanted ? wanted().filter((name) => !received.has(name)) : [];
}

async function loadParts(names) {
  await Promise.all(names.map(loadPart));
}

function loadPart(name) {
  const file = DATA.folder + '/' + name + '.js';
  return new Promise((resolve, reject) => {
    const script = el('script', { src: [DATA.folder, name + '.js'].map(encodeURIComponent).join('/') });
    script.addEventListener('error', () => reject(new Error(file + ' cannot be read: it has to lie beside this page')));
    script.addEventListener('load', () => {
      const part = received.get(name);
      if (!part || part.stamp !== DATA.stamp) {
        received.delete(name);
        reject(new Error(file + ' is of another report than this page: write both again'));
        return;
      }
      keepPart(TABLES[Number(name.split('-')[0])], part.content);
      // It is in the tables now.
      part.content = null;
      resolve();
    });
    document.head.append(script);
  });
}

function keepPart(table, { results, shared, pairs = [], groups = [], adjusted = {} }) {
  for (const result of results) {
    result.shared = shared;
    keepResult(table, result);
  }
  keepUnlike(table, pairs, shared);
  groups.forEach((found, index) => {
    if (!found) return;
    const [p, apart, alone] = found;
    const one = results[0].m;
    keepPairs(table.groups[index], table.models.flatMap((_, other) => (alone[other] === null ? [] : [[Math.min(one, other), Math.max(one, other), p[other], Boolean(apart[other]), alone[other]]])));
  });
  for (const [task, others] of Object.entries(adjusted)) {
    const about = table.tasks[task];
    about.adjusted = about.adjusted || new Map();
    if (results.length) about.adjusted.set(results[0].m, others);
  }
}

// The p-value of two models on a task, adjusted for all pairs of models: as written (Holm), or of many models, whose
// pairs are nowhere, multiplied by their number (Bonferroni), which is never less.
function writtenP(table, task, a, b, alone) {
  if (task.adjusted) {
    const others = task.adjusted.get(a.index) || {};
    return others[b.index] === undefined ? null : others[b.index];
  }
  const n = table.models.filter((model) => resultOf(table, model, task)).length;
  return alone === null ? null : Math.min(1, (alone * n * (n - 1)) / 2);
}
