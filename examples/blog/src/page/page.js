// The page. Data becomes text nodes, never markup.

import { ask, READ, RUN } from './api.js';

const PAGE = 5;

const $ = (id) => document.getElementById(id);

/** An element with properties, attributes, listeners. Strings become text. */
function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const count = (n, what) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
const when = (time) => new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** Sends a request, shows its work or its error in `output`, and returns the data. Without an output, errors go to #result. */
async function act(output, operation, variables, button) {
  if (button?.ariaDisabled === 'true') return null;
  // `disabled` would move the focus away.
  if (button) button.ariaDisabled = 'true';
  try {
    const { query, data, errors, done } = await ask(operation, variables);
    record(query, variables, done, errors);
    const line = h('span', { className: 'did' }, ...described(done));
    const target = output ?? (errors && $('result'));
    target?.replaceChildren(...(errors ? [problem(errors)] : []), line);
    return errors ? null : data;
  } finally {
    if (button) button.ariaDisabled = 'false';
  }
}

function problem(errors) {
  const [{ message, extensions }] = errors;
  return h('span', { className: 'problem' }, h('b', {}, extensions?.code ?? 'ERROR'), ` ${message}`);
}

const micros = (part) => Math.round(part.ms * 1000).toLocaleString('en');

function described({ sql, transaction, sync, total, trip }) {
  const parts = [];
  if (sql) parts.push(transaction ? `${sql.desc} + ${parseInt(transaction.desc)} for the transaction` : sql.desc);
  if (sync) parts.push(sync.desc);
  if (total) parts.push(`${micros(total)} µs in the server`);
  parts.push(`${trip.toFixed(1)} ms round trip`);
  return parts.map((part) => h('span', {}, part));
}

/** The number of written documents. */
function written(sync) {
  const counts = (sync?.desc ?? '').matchAll(/(\d+) (?!unchanged)/g);
  return [...counts].reduce((sum, [, n]) => sum + Number(n), 0);
}

// The request log

function record(query, variables, done, errors) {
  const name = /\{\s*(\w+)/.exec(query.replace(/^[^{]*/, ''))[1];
  const code = errors && (errors[0].extensions?.code ?? 'ERROR');
  const mutation = query.startsWith('mutation');
  if (mutation || !$('last').firstChild) showLast(name, done, code);
  const text = variables ? `${query}\n\n${JSON.stringify(variables, null, 2)}` : query;
  const entry = h('li', { className: mutation ? 'mutation' : '' },
    h('details', { open: mutation },
      h('summary', {},
        h('b', {}, name), code ? h('span', { className: 'code' }, code) : ''),
      h('pre', { tabIndex: 0 }, text)),
    h('span', { className: 'did' }, ...described(done)));
  // Only the last mutation is open.
  if (mutation) for (const open of $('log').querySelectorAll('details[open]')) open.open = false;
  $('log').prepend(entry);
  while ($('log').children.length > 30) $('log').lastChild.remove();
}

function showLast(name, { sql, transaction, sync, total }, code) {
  const figure = (value, what, more) =>
    h('div', {}, h('dd', {}, value), h('dt', {}, what), h('small', {}, more ?? ''));
  $('last').replaceChildren(
    h('p', {}, h('b', {}, name), code ? h('span', { className: 'code' }, code) : ''),
    h('dl', {},
      figure(String(parseInt(sql?.desc ?? 0)), 'statements',
        transaction && `+ ${parseInt(transaction.desc)} transactional`),
      figure(String(written(sync)), 'documents synced'),
      figure(total ? micros(total) : '–', 'µs in the server', sql && `${micros(sql)} in SQL`)),
    ...(sync ? [h('p', { className: 'synced' }, sync.desc)] : []));
}

// The acting user

let users = [];

function showUsers() {
  const actor = $('actor');
  const chosen = actor.value;
  actor.replaceChildren(...users.map((user) => h('option', { value: user.id }, user.fullName)));
  if (chosen) actor.value = chosen;
}

function toggle(button, panel, open = panel.hidden) {
  panel.hidden = !open;
  button.ariaExpanded = String(open);
  if (open) panel.querySelector('input, textarea')?.focus();
}

/** Runs `action` with the fields of a form when it is sent. */
function onSubmit(form, action) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button.primary');
    const fields = Object.fromEntries(new FormData(form));
    await action(fields, form.querySelector('output'), button);
  });
}

const field = (name, maxLength) => h('input', { name, maxLength, required: true });
const inline = (label, ...fields) =>
  h('form', { className: 'inline' }, ...fields, h('button', { className: 'primary' }, label), h('output'));

// Posts

const cards = new Map();

function show(posts, { append = false } = {}) {
  if (!append) {
    const ids = new Set(posts.map((post) => post.id));
    for (const id of cards.keys()) if (!ids.has(id)) drop(id);
  }
  $('list').querySelector('.empty')?.remove();
  posts.forEach((post, index) => {
    const { element, update } = cards.get(post.id) ?? add(post);
    update(post);
    // Moving an element would take its focus.
    const there = append ? null : $('list').children[index] ?? null;
    if (there !== element) $('list').insertBefore(element, there);
  });
  if (!cards.size) $('list').append(h('p', { className: 'empty' }, 'There are no posts yet. Write the first one.'));
}

function add(post) {
  cards.set(post.id, card(post));
  return cards.get(post.id);
}

function drop(id) {
  cards.get(id)?.element.remove();
  cards.delete(id);
}

let end = null;

async function reload(output, button, shown = Math.max(cards.size, PAGE)) {
  $('list').ariaBusy = 'true';
  // 100 is the limit of the API.
  const data = await act(output, READ.recent, { limit: Math.min(shown, 100) }, button);
  $('list').ariaBusy = 'false';
  if (!data) return;
  end = null;
  show(data.posts);
  $('older').hidden = data.posts.length < shown;
}

/** The first call has no cursor yet, so it reads the shown posts again. */
async function older() {
  const first = end ? PAGE : Math.min(cards.size + PAGE, 100);
  const data = await act($('result'), READ.older, { first, after: end }, $('older'));
  if (!data) return;
  const { nodes, pageInfo } = data.postsConnection;
  show(nodes, { append: Boolean(end) });
  end = pageInfo.endCursor;
  $('older').hidden = !pageInfo.hasNextPage;
}

/** A post with its actions and their results. */
function card(first) {
  let post;
  const { id } = first;
  const title = h('h3', { id: `p${id}-title` });
  const author = h('b');
  const username = h('span', { className: 'quiet' });
  const time = h('time', { className: 'quiet' });
  const draft = h('span', { className: 'badge' }, 'Draft');
  const content = h('p', { className: 'content' });
  const output = h('output');

  const button = (label, action, props) =>
    h('button', { type: 'button', click: (event) => action(event.currentTarget), ...props }, label);
  const panel = (label, action, ...content) => {
    const element = h('div', { className: 'panel', hidden: true }, ...content);
    const opener = button(label, async () => {
      if (element.hidden) await action?.();
      toggle(opener, element);
    }, { ariaExpanded: 'false' });
    return { element, opener };
  };

  // Comments
  const list = h('ul', { className: 'comments' });
  const form = inline('Comment', h('label', {}, 'Your comment ', field('content', 2000)));
  const read = async (to) => {
    const data = await act(to, READ.comments, { id });
    if (!data?.post) return;
    update(data.post);
    list.replaceChildren(...data.post.comments.map((comment) =>
      h('li', {}, h('b', {}, comment.author.fullName),
        h('time', { className: 'quiet', dateTime: comment.createdAt }, when(comment.createdAt)),
        h('p', {}, comment.content))));
  };
  const discuss = panel('', () => read(output), form, list);
  onSubmit(form, async (fields, to, send) => {
    const data = await act(to, RUN.comment, { post: id, author: $('actor').value, content: fields.content }, send);
    if (!data) return;
    form.reset();
    // Keep the result of the comment beside the form.
    await read(null);
  });

  // The author
  const name = field('fullName', 100);
  const renaming = inline('Rename', h('label', {}, 'New full name, in every post ', name));
  const rename = panel('Rename author', null, renaming);
  onSubmit(renaming, async (fields, to, send) => {
    const data = await act(to, RUN.rename, { id: post.author.id, fullName: fields.fullName }, send);
    if (!data) return;
    users = users.map((user) => (user.id === data.updateUser.id ? data.updateUser : user));
    showUsers();
    // Other posts embed the name too.
    await reload(null);
  });

  // The title
  const text = field('title', 200);
  const editing = inline('Save', h('label', {}, 'Title ', text),
    h('label', { className: 'check' }, h('input', { type: 'checkbox', name: 'stale' }), ' send an older version'));
  const edit = panel('Edit', null, editing);
  onSubmit(editing, async (fields, to, send) => {
    const version = post.version - (fields.stale ? 1 : 0);
    const data = await act(to, RUN.edit, { id, version, title: fields.title }, send);
    if (data) update(data.updatePost);
  });

  const like = button('', async (it) => {
    const data = await act(output, RUN.like, { id, user: $('actor').value }, it);
    if (data) update(data.likePost);
  });
  const publish = button('Publish', async (it) => {
    const data = await act(output, RUN.publish, { id }, it);
    if (!data) return;
    update(data.publishPost);
    like.focus();
  });
  const remove = button('Delete', async (it) => {
    if (it.textContent === 'Delete') {
      it.textContent = 'Really delete?';
      return;
    }
    if (!(await act(output, RUN.remove, { id }, it))) return;
    $('result').replaceChildren(...output.childNodes);
    drop(id);
    $('posts').focus();
  }, { className: 'danger', blur: () => (remove.textContent = 'Delete') });

  function update(to) {
    post = to;
    title.textContent = post.title;
    author.textContent = post.author.fullName;
    username.textContent = `@${post.author.username}`;
    time.dateTime = post.createdAt;
    time.textContent = when(post.createdAt);
    content.textContent = post.content;
    draft.hidden = publish.hidden = Boolean(post.publishedAt);
    like.textContent = `♥ ${post.likeCount}`;
    like.ariaLabel = `Like; ${count(post.likeCount, 'like')}`;
    discuss.opener.textContent = count(post.commentCount, 'comment');
    for (const [input, value] of [[name, post.author.fullName], [text, post.title]]) {
      // Keep what the user is typing.
      if (input !== document.activeElement) input.value = value;
    }
  }
  const element = h('article', { 'aria-labelledby': title.id },
    h('div', { className: 'by' }, author, username, time, draft),
    title, content,
    h('div', { className: 'actions' }, like, discuss.opener, publish, edit.opener, rename.opener, remove),
    output, discuss.element, edit.element, rename.element);
  update(first);
  return { element, update };
}

// A row that is changed in psql

let watch = 0;

/** Shows the newest post's document, and looks twice a second whether it has changed, while the panel is open. */
async function watchDocument() {
  const mine = ++watch;
  if (!$('psql').open) return;
  const id = (await ask(READ.recent, { limit: 1 })).data?.posts[0]?.id;
  if (!id) return;
  $('statement').textContent =
    `UPDATE tb_post SET title = 'Written in psql at ' || localtime(0)\nWHERE id = '${id}';`;
  for (let shown = null; mine === watch && $('psql').open;) {
    const { data } = await ask(READ.comments, { id });
    const text = data?.post && JSON.stringify(data.post, null, 2);
    if (text && text !== shown) {
      $('document').textContent = text;
      $('followed').textContent = shown ? `The document followed at ${new Date().toLocaleTimeString('en-GB')}.` : 'The document now:';
      if (shown) await reload(null);
      shown = text;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// The page

$('psql').addEventListener('toggle', watchDocument);
$('older').addEventListener('click', older);
$('reload').addEventListener('click', () => reload($('result'), $('reload')));
$('join-toggle').addEventListener('click', () => toggle($('join-toggle'), $('join')));
$('write-toggle').addEventListener('click', () => toggle($('write-toggle'), $('write')));
onSubmit($('join'), async (fields, output, button) => {
  const data = await act(output, RUN.join, fields, button);
  if (!data) return;
  users.unshift(data.createUser);
  showUsers();
  $('actor').value = data.createUser.id;
  $('join').reset();
});
onSubmit($('write'), async (fields, output, button) => {
  const data = await act(output, RUN.write, { author: $('actor').value, ...fields }, button);
  if (!data) return;
  $('list').querySelector('.empty')?.remove();
  $('list').prepend(add(data.createPost).element);
  $('write').reset();
});

users = (await act(null, READ.users))?.users ?? [];
showUsers();
if (!users.length) toggle($('join-toggle'), $('join'), true);
await reload($('result'));
