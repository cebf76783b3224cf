'use strict';

// Everything shown is put in as text, never as markup: names and paths come from whoever sends requests.
const cell = (row, text, kind) => {
  const cell = row.insertCell();
  cell.textContent = text;
  if (kind) cell.className = kind;
  return cell;
};

const fill = (id, rows, write) => {
  const body = document.querySelector(`#${id} tbody`);
  body.replaceChildren();
  for (const row of rows) write(body.insertRow(), row);
};

async function refresh() {
  const about = document.getElementById('about');
  try {
    const answer = await fetch('/_emulator/summary', { cache: 'no-store' });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const summary = await answer.json();
    about.textContent = `Version ${summary.version}. Its clock says ${summary.time}. ${summary.requests} requests so far.`;
    fill('holdings', summary.holdings, (row, holding) => {
      cell(row, holding.project);
      cell(row, holding.kind);
      cell(row, holding.count, 'number');
      cell(row, holding.states.map(({ state, count }) => `${state} ${count}`).join(', '));
    });
    fill('requests', summary.latest, (row, request) => {
      cell(row, `${request.method} ${request.target}`, 'target');
      cell(row, request.status, 'number');
      cell(row, request.verdict, request.status < 400 ? 'good' : 'bad');
    });
    document.getElementById('none').hidden = summary.latest.length > 0;
  } catch (error) {
    about.textContent = `The emulator does not answer (${error.message}).`;
  }
}

refresh();
setInterval(refresh, 2000);
