// Tests the blog's page in a headless browser: page.mjs URL BROWSER [PICTURE].
// Prints a line for each step, and exits with 1 at the first failed assertion.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import puppeteer from 'puppeteer-core';

const [url, given, picture] = process.argv.slice(2);

/** Starts the given browser, or with `npm` that of the package. */
async function launch() {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  if (given !== 'npm') return puppeteer.launch({ executablePath: given, args });
  const { default: chromium } = await import('@sparticuz/chromium');
  chromium.setGraphicsMode = false;
  return puppeteer.launch({ executablePath: await chromium.executablePath(), args: [...chromium.args, ...args], headless: 'shell' });
}

async function api(query, variables) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

const HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

// Readable sample posts, oldest first, for the picture too.
const people = {};
for (const [username, fullName] of [['ada', 'Ada Lovelace'], ['grace', 'Grace Hopper'], ['edgar', 'Edgar Codd']]) {
  const { createUser } = await api(
    'mutation ($username: String!, $fullName: String!) { createUser(username: $username, fullName: $fullName) { id } }',
    { username, fullName });
  people[username] = createUser.id;
}
async function write(author, title, content, published, comments = []) {
  const { createPost } = await api(
    'mutation ($author: ID!, $title: String!, $content: String!) { createPost(authorId: $author, title: $title, content: $content) { id } }',
    { author: people[author], title, content });
  const { id } = createPost;
  if (published) await api('mutation ($id: ID!) { publishPost(id: $id) { id } }', { id });
  for (const [who, text] of comments) {
    await api('mutation ($id: ID!, $who: ID!, $text: String!) { createComment(postId: $id, authorId: $who, content: $text) { id } }',
      { id, who: people[who], text });
  }
  return id;
}
await write('edgar', HOSTILE, HOSTILE, true, [['grace', HOSTILE]]);
await write('ada', 'What a document is made of',
  'A post page shows the post, who wrote it, its tags, the newest comments with their authors, and two counts: five tables. Stored as one document, it is one lookup by key.',
  true, [['edgar', 'One lookup, and five tables are still the truth.']]);
await write('grace', 'A nanosecond is this long',
  'Thirty centimetres of wire. A microsecond is a coil of three hundred metres, and I would like every programmer to wear one round the neck.',
  true, [['ada', 'Mine is round my neck.'], ['edgar', 'May I have a shorter one?']]);
await write('edgar', 'Normal forms, and why you want them',
  'Say each thing once. A name that stands in one row is changed by one UPDATE; what is read a thousand times more often than it is written may be kept in another form beside it.',
  true, [['grace', 'And who keeps the two equal?'], ['ada', 'The code of the command, in the same transaction.']]);
const notes = await write('ada', 'Notes on the analytical engine',
  'The engine has no pretensions whatever to originate anything. It can do whatever we know how to order it to perform. It can follow analysis; it has no power of anticipating any truths.',
  true, [['grace', 'Ordered today, and performed in microseconds.'], ['edgar', 'Where is it stored?']]);
const draft = await write('ada', 'A draft on the weaving of flowers', 'As the loom weaves flowers and leaves.', false);

const browser = await launch();
const faults = [];
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`request to ${request.url()}`);
  });
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));

  const done = (what) => console.log(`ok ${what}`);
  const card = (id) => `article[aria-labelledby="p${id}-title"]`;
  const texts = (selector) => page.$$eval(selector, (all) => all.map((it) => it.textContent));
  const text = async (selector) => (await texts(selector))[0];
  /** Waits until an element has the expected text, and returns the text. */
  async function sees(selector, expected) {
    const end = performance.now() + 15_000;
    for (;;) {
      const found = await texts(selector);
      if (found.some((it) => it.match(expected))) return found.find((it) => it.match(expected));
      assert.ok(performance.now() < end, `${selector} has ${JSON.stringify(found)} instead of ${expected}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const button = (id, label) => `${card(id)} ::-p-xpath(.//button[starts-with(normalize-space(), "${label}")])`;
  const fill = async (selector, value) => {
    await page.$eval(selector, (input) => (input.value = ''));
    await page.type(selector, value);
  };
  const FIGURES = /(\d+) statements? \+ (\d+) for the transaction.*?((?:comment|post|user): [^µ]*?)([\d,]+) µs in the server([\d.]+) ms round trip/;

  await page.setViewport({ width: 1280, height: 800, deviceScaleFactor: 1.4 });
  await page.goto(url, { waitUntil: 'networkidle0' });
  await sees('#list h3', /^A draft on the weaving of flowers$/);
  assert.equal((await page.$$('#list article')).length, 5);
  assert.match(await sees('#result', /statement/), /^1 statement.*µs in the server.*ms round trip$/);
  done('recent posts are read by one statement');

  await page.click('#older');
  await page.waitForFunction(() => document.querySelectorAll('#list article').length === 10);
  await page.click('#older');
  await page.waitForFunction(() => document.querySelectorAll('#list article').length === 15);
  const titles = await texts('#list h3');
  assert.equal(new Set(titles).size, 15, 'no post is listed twice');
  done('older posts are added page by page');

  assert.ok(titles.includes(HOSTILE));
  const hostile = await page.$eval('#list', (list) =>
    [...list.querySelectorAll('article')].find((it) => it.querySelector('h3').textContent.startsWith('<img')).getAttribute('aria-labelledby').slice(1, -6));
  await page.click(button(hostile, '1 comment'));
  await sees(`${card(hostile)} .comments p`, /^<img src=x/);
  assert.equal(await page.$$eval('article img, article script', (all) => all.length), 0);
  assert.match(await page.title(), /^Blog/);
  done('markup in posts and comments is shown as text');

  await page.click(button(notes, '2 comments'));
  await page.waitForSelector(`${card(notes)} .comments li`, { visible: true });
  await page.select('#actor', people.edgar);
  await page.type(`${card(notes)} form input[name=content]`, 'In a table, I hope.');
  await page.keyboard.press('Enter');
  await sees(`${card(notes)} .comments p`, /^In a table, I hope\.$/);
  const did = (await text(`${card(notes)} form output`)).match(FIGURES);
  assert.ok(did, await text(`${card(notes)} form output`));
  assert.equal(did[3], 'comment: 1 inserted, post: 1 updated, user: 1 updated');
  assert.ok(Number(did[1]) >= 5 && Number(did[4].replace(',', '')) > 100, did[0]);
  await sees(`${card(notes)} .actions`, /3 comments/);
  assert.equal(await text('#last dd'), did[1], 'the same number in both places');
  assert.deepEqual((await texts('#last dd'))[1], '3');
  done(`a new comment is shown with its figures: ${did.slice(1).join(' | ')}`);

  await page.click(button(notes, '♥'));
  assert.doesNotMatch(await sees(`${card(notes)} > output`, /statements.*µs/), /post:/);
  await sees(`${card(notes)} .actions`, /♥ 1/);
  done('a like is counted by the worker, and the answer waits for it');

  await page.click(button(draft, 'Publish'));
  await page.waitForFunction((it) => document.querySelector(it).hidden, {}, `${card(draft)} .badge`);
  assert.match(await sees(`${card(draft)} > output`, /updated/), /post: 1 updated, user: 1 updated/);
  done('a draft is published');

  await page.click(button(draft, 'Edit'));
  await fill(`${card(draft)} form input[name=title]`, 'On the weaving of flowers');
  await page.click(`${card(draft)} input[name=stale]`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.match(await sees(`${card(draft)} .problem`, /CONFLICT/), /changed by another client.*version 1, you have read version 0/);
  await page.waitForFunction((it) => document.querySelector(it).textContent === 'A draft on the weaving of flowers', {}, `${card(draft)} h3`);
  await sees('#last .code', /CONFLICT/);
  await page.click(`${card(draft)} input[name=stale]`);
  await page.click(button(draft, 'Save'));
  await sees(`${card(draft)} h3`, /^On the weaving of flowers$/);
  done('a change of an older version is rejected, one of the current version is made');

  // Three of the posts that are shown are Ada's.
  await page.click(button(notes, 'Rename'));
  await fill(`${card(notes)} form input[name=fullName]`, 'Countess of Lovelace');
  await page.keyboard.press('Enter');
  const renamed = await sees(`${card(notes)} form:has([name=fullName]) output`, /post: \d+ updated/);
  assert.match(renamed, /comment: \d+ updated, post: \d+ updated, user: 1 updated/);
  await page.waitForFunction(() => [...document.querySelectorAll('.by b')].filter((it) => it.textContent === 'Countess of Lovelace').length === 3);
  assert.ok(!(await texts('.by b')).includes('Ada Lovelace'));
  assert.ok((await texts('#actor option')).includes('Countess of Lovelace'));
  done('a rename updates every shown post');

  const before = (await page.$$('#list article')).length;
  await page.click(button(draft, 'Delete'));
  await page.click(button(draft, 'Really delete?'));
  await sees('#result', /post: 1 deleted, user: 1 updated/);
  assert.equal(await page.$(card(draft)), null);
  assert.equal((await page.$$('#list article')).length, before - 1);
  done('a post is deleted by the second click');

  const log = await text('#log li:first-child');
  assert.match(log, /deletePost.*mutation \(\$id: ID!\)[^]*"id": "/);
  done('the log has the text of the request');

  // Keyboard only, from the beginning of the page.
  await page.reload({ waitUntil: 'networkidle0' });
  await sees('#list h3', /^Notes/);
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'Skip to the posts');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'reload');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'write-toggle');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(ring, 'solid', 'the focus is visible');
  await page.keyboard.press('Enter');
  await page.keyboard.type('By keyboard');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Without a mouse.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await sees('#list article:first-child h3', /^By keyboard$/);
  await sees('#write output', /post: 1 inserted, user: 1 unchanged/);
  assert.equal(await text('#list article:first-child .badge'), 'Draft');
  done('a post is written with the keyboard');

  await page.click('#join-toggle');
  await page.type('#join input[name=fullName]', 'Another Ada');
  await page.type('#join input[name=username]', 'ada');
  await page.keyboard.press('Enter');
  await sees('#join .problem', /TAKEN the username `ada` is taken/);
  await fill('#join input[name=username]', 'ada2');
  await page.keyboard.press('Enter');
  await sees('#actor option', /^Another Ada$/);
  // It is synced after the commit: the worker may have been first.
  assert.match(await text('#join output'), /user: 1 (inserted|unchanged)/);
  await page.click('#join-toggle');
  done('a taken username is rejected beside its form, another one is accepted');

  await page.click('#psql summary');
  const statement = await sees('#statement', /^UPDATE tb_post SET title = 'Written in psql at /);
  await sees('#document', /"title": "By keyboard"/);
  // The test runs it, as psql would.
  console.log(`SQL ${statement.replace('\n', ' ')}`);
  await sees('#document', /"title": "Written in psql at \d\d:/);
  await sees('#followed', /^The document followed at /);
  await sees('#list h3', /^Written in psql at /);
  await page.click('#psql summary');
  done('the document follows a row that is changed in psql');

  // Accessibility: every field and button has a name, and every result is a live region.
  const nameless = await page.$$eval('input, textarea, select, button', (all) =>
    all.filter((it) => !(it.labels?.length || it.ariaLabel || it.textContent.trim())).map((it) => it.outerHTML));
  assert.deepEqual(nameless, []);
  const tree = await page.accessibility.snapshot({ interestingOnly: false });
  const roles = JSON.stringify(tree);
  for (const role of ['banner', 'main', 'complementary', 'navigation', 'article', 'status']) {
    assert.ok(roles.includes(`"role":"${role}"`), role);
  }
  done('fields and buttons have accessible names, results are live regions');

  const colours = {};
  for (const value of ['dark', 'light']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    colours[value] = await page.evaluate(contrast);
    for (const [where, ratio] of Object.entries(colours[value])) assert.ok(ratio >= 4.5, `${value}: ${where} has ${ratio}`);
  }
  assert.notEqual(colours.dark.page, colours.light.page);
  done(`dark and light colours have enough contrast: ${JSON.stringify(colours)}`);

  for (const width of [360, 768]) {
    await page.setViewport({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px on a screen of ${width}`);
  }
  done('the page fits narrow screens');

  const offline = await page.createCDPSession();
  const until = faults.length;
  await offline.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });
  await page.click('#reload');
  await sees('#result .problem', /NETWORK The server does not respond/);
  faults.splice(until); // The browser logs the failed request to the console.
  await offline.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await page.click('#reload');
  await sees('#result', /^1 statement/);
  done('a network error is shown, and the next request succeeds');

  if (picture) await paint(page);
  assert.deepEqual(faults, []);
  done('no errors in the console, no requests to other hosts');

  async function paint(page) {
    const posts = await api('{ posts(limit: 1, orderBy: {createdAt: DESC}) { id } }');
    await api('mutation ($id: ID!) { deletePost(id: $id) { id } }', { id: posts.posts[0].id });
    // Let each connection prepare its statements, so that the figures are those of later requests.
    for (let i = 0; i < 20; i += 1) {
      const { createComment } = await api('mutation ($id: ID!, $who: ID!) { createComment(postId: $id, authorId: $who, content: "..") { id } }',
        { id: notes, who: people.grace });
      await api('mutation ($id: ID!) { deleteComment(id: $id) { id } }', { id: createComment.id });
    }
    await page.setViewport({ width: 1280, height: 800, deviceScaleFactor: 1.4 });
    await page.goto(url, { waitUntil: 'networkidle0' });
    await page.select('#actor', people.grace);
    await page.click(button(notes, '3 comments'));
    await page.waitForSelector(`${card(notes)} .comments li`, { visible: true });
    await page.type(`${card(notes)} form input[name=content]`, 'It can follow analysis, in microseconds.');
    await page.keyboard.press('Enter');
    await sees(`${card(notes)} .comments p`, /^It can follow/);
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot({ path: picture });
  }

  // GraphiQL, with nothing from other hosts.
  const graphiql = await browser.newPage();
  graphiql.setDefaultTimeout(15_000);
  const outside = [];
  graphiql.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== url) outside.push(request.url());
  });
  graphiql.on('pageerror', (error) => outside.push(`error: ${error.message}`));
  graphiql.on('console', (message) => {
    if (/Content Security Policy|integrity/.test(message.text())) outside.push(message.text());
  });
  await graphiql.goto(`${url}/graphql?query=${encodeURIComponent('{ users(limit: 1) { __typename } }')}`);
  await graphiql.waitForSelector('.graphiql-execute-button');
  await graphiql.click('.graphiql-execute-button');
  await graphiql.waitForFunction(() => document.querySelector('.result-window')?.textContent.includes('"User"'));
  assert.deepEqual(outside, []);
  console.log('GraphiQL runs a query, and loads nothing from other hosts');
} finally {
  await browser.close();
}

/** Contrast ratios between texts and their backgrounds, as WCAG defines them. */
function contrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((it) => it / 255)
      .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (selector) => {
    const element = document.querySelector(selector);
    let behind = element;
    while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement ?? document.body;
    const [a, b] = [light(getComputedStyle(element).color), light(getComputedStyle(behind).backgroundColor)].sort();
    return Math.round(((b + 0.05) / (a + 0.05)) * 10) / 10;
  };
  return {
    page: light(getComputedStyle(document.body).backgroundColor) > 0.5 ? 21 : 20,
    title: ratio('h2'), content: ratio('.content'), quiet: ratio('.by .quiet'), result: ratio('#write output .did'),
    button: ratio('button.primary'), figure: ratio('#last dd'), small: ratio('#last small'), log: ratio('#log .did'),
  };
}
