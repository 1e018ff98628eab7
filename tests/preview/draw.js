// Draws a board from its JSON and the answers to its queries, so that people can look at it: places, words, units, colours and
// "nothing" as the JSON says. It is a sketch of Grafana and not Grafana.

const COLOURS = {
  green: '#73bf69', 'dark-green': '#37872d', 'semi-dark-green': '#56a64b', 'light-green': '#96d98d', 'super-light-green': '#c8f2c2',
  orange: '#ff9830', 'dark-orange': '#fa6400', 'semi-dark-orange': '#ff780a', 'light-orange': '#ffb357', 'super-light-orange': '#ffcb7d',
  red: '#f2495c', 'dark-red': '#c4162a', 'semi-dark-red': '#e02f44', 'light-red': '#ff7383', 'super-light-red': '#ffa6b0',
  text: '#d8d9da', blue: '#5794f2', purple: '#b877d9',
};
const PALETTE = ['#5794f2', '#f2cc0c', '#73bf69', '#b877d9', '#ff780a', '#37872d', '#8ab8ff', '#ca95e5', '#fade2a', '#1f60c4', '#ffb357', '#6ed0e0'];
const ROW = 30, GAP = 8;

const colour = (name) => COLOURS[name] ?? name;
const element = (parent, tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
};

function seconds(value) {
  const size = Math.abs(value);
  if (size < 1) return [value * 1000, 'ms', 0];
  if (size < 60) return [value, 's', 1];
  if (size < 3600) return [value / 60, 'min', 1];
  if (size < 86400) return [value / 3600, 'hours', 1];
  return [value / 86400, 'days', 1];
}

function short(value, steps, base) {
  let at = 0;
  while (Math.abs(value) >= base && at < steps.length - 1) { value /= base; at += 1; }
  return `${value.toFixed(at === 0 && Number.isInteger(value) ? 0 : 1)}${steps[at]}`;
}

function show(value, unit, decimals) {
  if (value === undefined || Number.isNaN(value)) return undefined;
  if (unit.startsWith('suffix:')) return `${value.toFixed(decimals ?? 1)} ${unit.slice(7).trim()}`;
  switch (unit) {
    case 'locale': return Math.round(value).toLocaleString('en-US');
    case 'percentunit': return `${(value * 100).toFixed(decimals ?? 1)}%`;
    case 's': { const [size, word, digits] = seconds(value); return `${size.toFixed(digits)} ${word}`; }
    case 'currencyUSD': return `$${value.toLocaleString('en-US', { minimumFractionDigits: decimals ?? 2, maximumFractionDigits: decimals ?? 2 })}`;
    case 'decbytes': return short(value, [' B', ' kB', ' MB', ' GB'], 1000);
    case 'short': return short(value, ['', ' K', ' Mil', ' Bil'], 1000);
    case 'ops': return `${short(value, ['', ' K'], 1000)} ops/s`;
    case 'dateTimeFromNow': { const [size, word] = seconds(window.DATA.end - value / 1000); return `${size.toFixed(0)} ${word} ago`; }
    default: return value.toFixed(decimals ?? (value && Math.abs(value) < 1 ? 2 : 1));
  }
}

function worded(panel, value) {
  return panel.fieldConfig.defaults.mappings[0]?.options[value]?.text;
}

const legend = (target, metric) => target.legendFormat.replace(/\{\{\s*\$?(\w+)\s*\}\}/g, (_, label) => metric[label] ?? metric.outcome ?? '');

function override(panel, id, options, property) {
  const found = panel.fieldConfig.overrides.filter((one) => one.matcher.id === id && one.matcher.options === options);
  return found.flatMap((one) => one.properties).find((one) => one.id === property)?.value;
}

function units(panel, id, options) {
  const { unit, decimals } = panel.fieldConfig.defaults;
  return override(panel, id, options, 'unit') ? [override(panel, id, options, 'unit'), override(panel, id, options, 'decimals')] : [unit, decimals];
}

function threshold(panel, value) {
  const steps = panel.fieldConfig.defaults.thresholds.steps;
  return colour(steps.filter((step) => step.value === null || value >= step.value).pop().color);
}

const VIEWS = {
  text(panel, body) {
    const bold = (text) => text.replace(/\*\*(.+?)\*\*/g, '<b>$1</b>').replace(/\*(.+?)\*/g, '<i>$1</i>').replace(/`(.+?)`/g, '<code>$1</code>');
    element(body, 'div', 'words').innerHTML = bold(panel.options.content);
  },
  stat(panel, body, answers) {
    const stat = element(body, 'div', 'stat');
    let any = false;
    panel.targets.forEach((target, at) => {
      for (const one of answers[at]) {
        any = true;
        const value = Number(one.value[1]);
        const line = element(stat, 'div', 'number');
        if (answers.flat().length > 1) element(line, 'span', 'name', legend(target, one.metric));
        const text = element(line, 'span', 'value', worded(panel, value) ?? show(value, ...units(panel, 'byFrameRefID', target.refId)));
        text.style.color = colour(override(panel, 'byFrameRefID', target.refId, 'color')?.fixedColor) ?? threshold(panel, value);
      }
    });
    if (!any) element(stat, 'div', 'none', panel.fieldConfig.defaults.noValue);
  },
  gauge(panel, body, answers) { VIEWS.stat(panel, body, answers); },
  bargauge(panel, body, answers) {
    const list = element(body, 'div', 'ranking');
    const rows = answers[0].map((one) => [legend(panel.targets[0], one.metric), Number(one.value[1])]);
    const most = Math.max(...rows.map(([, value]) => value), 1e-9);
    for (const [name, value] of rows) {
      const line = element(list, 'div', 'bar');
      element(line, 'span', 'name', name);
      const bar = element(element(line, 'span', 'track'), 'span', 'fill');
      bar.style.width = `${(value / most) * 100}%`;
      bar.style.background = colour(override(panel, 'byName', name, 'color')?.fixedColor ?? 'blue');
      element(line, 'span', 'value', show(value, ...units(panel)));
    }
    if (!rows.length) element(list, 'div', 'none', panel.fieldConfig.defaults.noValue);
  },
  table(panel, body, answers) {
    const names = panel.transformations[1].options.renameByName;
    const label = Object.keys(names)[Object.values(names).findIndex((_, at) => !Object.keys(names)[at].startsWith('Value'))];
    const rows = new Map();
    answers.forEach((answer, at) => answer.forEach((one) => {
      const key = one.metric[label] ?? '';
      if (!rows.has(key)) rows.set(key, []);
      rows.get(key)[at] = Number(one.value[1]);
    }));
    const table = element(body, 'table');
    const head = element(table, 'tr');
    [names[label], ...panel.targets.map((target) => target.legendFormat)].forEach((name) => element(head, 'th', '', name));
    for (const [key, values] of [...rows].sort((one, other) => (other[1][0] ?? 0) - (one[1][0] ?? 0))) {
      const row = element(table, 'tr');
      element(row, 'td', '', key);
      panel.targets.forEach((target, at) => element(row, 'td', 'value', show(values[at], ...units(panel, 'byName', target.legendFormat)) ?? ''));
    }
    if (!rows.size) element(body, 'div', 'none', panel.fieldConfig.defaults.noValue);
  },
  timeseries(panel, body, answers) {
    const bars = panel.fieldConfig.defaults.custom.drawStyle === 'bars';
    const found = panel.targets.flatMap((target, at) => answers[at].map((one) => [legend(target, one.metric), one.values]));
    if (!found.length) return element(body, 'div', 'none', panel.fieldConfig.defaults.noValue);
    const step = (window.DATA.step) * 1000;
    const times = [...new Set(found.flatMap(([, values]) => values.map(([time]) => time * 1000)))].sort((a, b) => a - b);
    const all = [];
    for (let time = times[0]; time <= times.at(-1); time += bars ? step : Math.min(...times.slice(1).map((one, at) => one - times[at]), step)) all.push(time);
    const series = found.map(([name, values], at) => {
      const known = new Map(values.map(([time, value]) => [time * 1000, Number(value)]));
      const fixed = override(panel, 'byName', name, 'color')?.fixedColor;
      // A band is two lines on top of each other: what lies below it, and its height.
      const lower = override(panel, 'byName', name, 'custom.fillBelowTo');
      const floor = new Map((found.find(([other]) => other === lower)?.[1] ?? []).map(([time, value]) => [time * 1000, Number(value)]));
      for (const [time, value] of floor) if (known.has(time)) known.set(time, known.get(time) - value);
      const thin = override(panel, 'byName', name, 'custom.lineWidth') === 0;
      return {
        name, type: bars ? 'bar' : 'line', stack: bars ? 'all' : thin ? 'band' : undefined, areaStyle: lower ? { opacity: 0.25 } : undefined, barWidth: '80%', showSymbol: !bars && !thin && known.size < 60, symbolSize: 4,
        itemStyle: { color: fixed ? colour(fixed) : PALETTE[at % PALETTE.length] }, lineStyle: { width: thin ? 0 : 2 },
        data: all.map((time) => [time, known.has(time) ? known.get(time) : null]),
      };
    });
    chart(body, { xAxis: { type: bars ? 'category' : 'time', data: bars ? all.map(day) : undefined }, series: bars ? series.map((one) => ({ ...one, data: one.data.map(([, value]) => value) })) : series, panel });
  },
  heatmap(panel, body, answers) {
    const size = (edge) => (edge === '+Inf' ? Infinity : Number(edge));
    const edges = answers[0].map((one) => one.metric.le).sort((a, b) => size(a) - size(b));
    const by = new Map(answers[0].map((one) => [one.metric.le, new Map(one.values.map(([time, value]) => [time, Number(value)]))]));
    const times = [...new Set(answers[0].flatMap((one) => one.values.map(([time]) => time)))].sort();
    const data = [];
    edges.forEach((edge, y) => times.forEach((time, x) => {
      const below = y ? by.get(edges[y - 1]).get(time) ?? 0 : 0;
      const value = (by.get(edge).get(time) ?? 0) - below;
      if (value > 0.01) data.push([x, y, Math.sqrt(value)]);
    }));
    const most = Math.max(...data.map((one) => one[2]), 1);
    chart(body, {
      xAxis: { type: 'category', data: times.map((time) => day(time * 1000)) }, panel,
      yAxis: { type: 'category', data: edges.map((edge) => (edge === '+Inf' ? 'longer' : show(Number(edge), 's'))), axisLabel: { color: '#9fa7b3' } },
      visualMap: { show: false, min: 0, max: most, inRange: { color: ['#16324f', '#8ab8ff'] } }, series: [{ type: 'heatmap', data }],
    });
  },
  'state-timeline': (panel, body, answers) => {
    for (const one of answers[0]) {
      const line = element(body, 'div', 'state', legend(panel.targets[0], one.metric));
      line.style.background = one.values.every(([, value]) => Number(value) === 1) ? COLOURS.green : COLOURS.red;
    }
    if (!answers[0].length) element(body, 'div', 'none', panel.fieldConfig.defaults.noValue);
  },
};

function day(time) {
  const moment = new Date(time);
  const two = (number) => String(number).padStart(2, '0');
  return window.DATA.step >= 86400 ? `${two(moment.getMonth() + 1)}/${two(moment.getDate())}` : `${two(moment.getMonth() + 1)}/${two(moment.getDate())} ${two(moment.getHours())}:00`;
}

function chart(body, { panel, xAxis, yAxis, series, visualMap }) {
  const [unit, decimals] = units(panel);
  const holder = element(body, 'div', 'chart');
  const names = (series.length > 1 || !visualMap) && series.map((one) => one.name);
  // Legends wrap, as Grafana's do.
  const room = body.clientWidth - 20;
  let [lines, used] = [1, 0];
  for (const name of names || []) {
    const wide = 27 + 6.8 * name.length;
    if (used && used + wide > room) { lines += 1; used = 0; }
    used += wide;
  }
  window.echarts.init(holder, null, { renderer: 'canvas' }).setOption({
    animation: false, textStyle: { fontFamily: 'DejaVu Sans' }, visualMap,
    grid: { left: 8, right: 12, top: 10, bottom: names ? 14 + 18 * lines : 6, containLabel: true },
    legend: names && !visualMap ? { bottom: 3, left: 'center', width: room, itemWidth: 12, itemHeight: 4, itemGap: 8, padding: 0, icon: 'rect', textStyle: { color: '#ccccdc', fontSize: 11 } } : undefined,
    xAxis: { ...xAxis, axisLabel: { color: '#9fa7b3', hideOverlap: true }, axisLine: { lineStyle: { color: '#44484f' } }, splitLine: { show: false } },
    yAxis: yAxis ?? { type: 'value', min: 0, minInterval: decimals === 0 ? 1 : 0, axisLabel: { color: '#9fa7b3', formatter: (value) => show(value, unit, decimals) }, splitLine: { lineStyle: { color: '#2b2e34' } } },
    series,
  });
}

const { board, answers, shown } = window.DATA;
const grid = element(document.body, 'div', 'grid');
const bar = element(grid, 'div', 'head');
bar.style.cssText = 'left:0;top:0;right:0;height:36px';
element(bar, 'b', '', board.title);
element(bar, 'span', '', `  ${shown}`);
const width = 1400;
let bottom = 0;
let closed = 0;
for (const panel of board.panels) {
  const { x, y, w, h } = panel.gridPos;
  const box = element(grid, 'div', panel.type === 'row' ? 'row' : 'panel');
  const at = (value) => (value * (width - GAP)) / 24;
  const top = 44 + y * (ROW + GAP);
  box.style.cssText = `left:${at(x) + GAP / 2}px;top:${top}px;width:${at(w) - GAP}px;height:${h * (ROW + GAP) - GAP}px`;
  bottom = Math.max(bottom, top + h * (ROW + GAP));
  if (panel.type === 'row') { element(box, 'b', '', `${panel.collapsed ? '▸' : '▾'} ${panel.title}`); closed += 1; continue; }
  element(box, 'div', 'title', panel.type === 'text' ? '' : panel.title);
  VIEWS[panel.type](panel, element(box, 'div', 'body'), answers[panel.id] ?? []);
}
grid.style.height = `${bottom}px`;
