// GraphQL requests of the page.

const POST = `fragment Post on Post {
  id title content version publishedAt createdAt
  author { id username fullName }
  commentCount likeCount
}`;
export const READ = {
  recent: `query ($limit: Int!) {
  posts(limit: $limit, orderBy: {createdAt: DESC}) { ...Post }
}`,
  older: `query ($first: Int!, $after: String) {
  postsConnection(first: $first, after: $after, orderBy: {createdAt: DESC}) {
    nodes { ...Post }
    pageInfo { endCursor hasNextPage }
  }
}`,
  comments: `query ($id: ID!) {
  post(id: $id) {
    ...Post
    comments { id content createdAt author { id fullName } }
  }
}`,
  users: `{
  users(limit: 20, orderBy: {createdAt: DESC}) { id username fullName }
}`,
};
export const RUN = {
  join: `mutation ($username: String!, $fullName: String!) {
  createUser(username: $username, fullName: $fullName) { id username fullName }
}`,
  write: `mutation ($author: ID!, $title: String!, $content: String!) {
  createPost(authorId: $author, title: $title, content: $content) { ...Post }
}`,
  comment: `mutation ($post: ID!, $author: ID!, $content: String!) {
  createComment(postId: $post, authorId: $author, content: $content) { id }
}`,
  like: `mutation ($id: ID!, $user: ID!) {
  likePost(id: $id, userId: $user) { ...Post }
}`,
  rename: `mutation ($id: ID!, $fullName: String!) {
  updateUser(id: $id, fullName: $fullName) { id username fullName }
}`,
  publish: `mutation ($id: ID!) {
  publishPost(id: $id) { ...Post }
}`,
  edit: `mutation ($id: ID!, $version: Int!, $title: String!) {
  updatePost(id: $id, version: $version, title: $title) { ...Post }
}`,
  remove: `mutation ($id: ID!) {
  deletePost(id: $id) { id fullName publishedPostCount }
}`,
};

/** Parses Server-Timing: sql;desc="4 statements";dur=1.2, total;dur=2.31 */
function timing(header) {
  const parts = (header ?? '').matchAll(/(\w+)(?:;desc="([^"]*)")?;dur=([\d.]+)/g);
  return Object.fromEntries([...parts].map(([, name, desc, dur]) => [name, { desc, ms: Number(dur) }]));
}

/** Sends a request. Failures, also of the network, are in `errors`. */
export async function ask(operation, variables) {
  const query = operation.includes('...Post') ? `${operation}\n${POST}` : operation;
  const start = performance.now();
  let answer, header;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-server-timing': '1' },
      body: JSON.stringify({ query, variables }),
    });
    header = response.headers.get('server-timing');
    answer = await response.json();
  } catch {
    answer = { errors: [{ message: 'The server does not respond', extensions: { code: 'NETWORK' } }] };
  }
  const done = { ...timing(header), trip: performance.now() - start };
  return { ...answer, query, done };
}
