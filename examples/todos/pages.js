// The pages. The tag `html` escapes every value.

import { html } from 'hono/html';

const page = (content) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Todos</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <main>${content}</main>
  </body>
</html>`;

export const welcome = (notice) => page(html`
  <h1>Todos</h1>
  ${notice && html`<p class="notice">${notice}</p>`}
  <p>All todos are in one table. PostgreSQL shows you yours.</p>
  <p><a class="button" href="/sign-in">Sign in</a></p>`);

export const message = (text) => page(html`
  <h1>Todos</h1>
  <p class="notice">${text}</p>
  <p><a href="/">Back</a></p>`);

const item = ({ id, task, done }) => html`
  <li class="${done ? 'done' : 'open'}">
    <form method="post" action="/todos/${id}/done">
      <button class="tick" name="done" value="${done ? 'false' : 'true'}" aria-pressed="${done ? 'true' : 'false'}" aria-label="Done: ${task}">${done ? '✓' : ''}</button>
    </form>
    <span>${task}</span>
    <form method="post" action="/todos/${id}/delete">
      <button class="delete" aria-label="Delete: ${task}">×</button>
    </form>
  </li>`;

export const list = (name, userId, todos) => page(html`
  <header>
    <h1>Todos of ${name}</h1>
    <form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>
  </header>
  <form class="add" method="post" action="/todos">
    <input name="task" placeholder="What is to be done?" aria-label="Task" maxlength="200" required autofocus autocomplete="off">
    <button>Add</button>
  </form>
  ${todos.length ? html`<ul>${todos.map(item)}</ul>` : html`<p class="empty">Nothing to do.</p>`}
  <footer>For PostgreSQL you are <code>${userId}</code>, according to a verified token.</footer>`);
