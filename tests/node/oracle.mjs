// Answers GraphQL queries with graphql-js: `node oracle.mjs <questions> <answers>`.
//
// The first line of the questions is what is served: `sdl`, `views` whose documents are listed,
// and `root`, values of other root fields. Each further line is a request. Each line of the
// answers is `{valid, data, errors}`, `data` being the text of its JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { GraphQLError, buildSchema, execute, parse, specifiedRules, validate } from "graphql";

const [served, ...requests] = readFileSync(process.argv[2], "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const schema = buildSchema(served.sdl);

const refuse = (why) => {
  throw new GraphQLError(why);
};

// Conditions as in SQL: null where it is unknown.
const and = (all) => (all.includes(false) ? false : all.includes(null) ? null : true);
const or = (all) => (all.includes(true) ? true : all.includes(null) ? null : false);
const not = (one) => (one === null ? null : !one);

const same = (type, value) => {
  if (type === "DateTime") {
    if (typeof value !== "string" || Number.isNaN(Date.parse(value))) refuse("no time");
    return Date.parse(value);
  }
  if (type === "ID") {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) refuse("no key");
    return value.toLowerCase();
  }
  return value;
};

const pattern = (like, flags) => {
  const text = like.replace(/\\(.)|[%_]|[\^$.*+?()[\]{}|\\]/gsu, (found, escaped) => {
    if (found === "%") return ".*";
    if (found === "_") return ".";
    return (escaped ?? found).replace(/[\^$.*+?()[\]{}|\\]/g, "\\$&");
  });
  return new RegExp(`^${text}$`, `su${flags}`);
};

const compareList = (operator, value, operands) => {
  if (value === null) return null;
  switch (operator) {
    case "eq": return JSON.stringify(value) === JSON.stringify(operands);
    case "ne": return JSON.stringify(value) !== JSON.stringify(operands);
    case "contains": return operands.every((one) => value.includes(one));
    case "hasAny": return operands.some((one) => value.includes(one));
  }
  throw new Error(operator);
};

const compare = (type, operator, value, operand) => {
  if (operand === null) refuse("null is compared with nothing");
  if (operator === "isNull") return (value === null) === operand;
  if (type.endsWith("List")) return compareList(operator, value, operand);
  const operands = (Array.isArray(operand) ? operand : [operand]).map((one) => same(type, one));
  const is = value === null ? null : same(type, value);
  if (operator === "in") return operands.length === 0 ? false : is === null ? null : operands.includes(is);
  if (operator === "notIn") return operands.length === 0 ? true : is === null ? null : !operands.includes(is);
  if (is === null) return null;
  const [other] = operands;
  switch (operator) {
    case "eq": return is === other;
    case "ne": return is !== other;
    case "lt": return is < other;
    case "lte": return is <= other;
    case "gt": return is > other;
    case "gte": return is >= other;
    case "like": return pattern(other, "").test(is);
    case "ilike": return pattern(other, "i").test(is);
  }
};

const holds = (type, where, document) => {
  const fields = schema.getType(`${type}Where`).getFields();
  const all = Object.entries(where).map(([field, value]) => {
    if (value === null) return true;
    if (field === "and") return and(value.map((one) => holds(type, one, document)));
    if (field === "or") return or(value.map((one) => holds(type, one, document)));
    if (field === "not") return not(holds(type, value, document));
    const comparisons = Object.entries(value);
    if (comparisons.length === 0) refuse(`${field} is compared with nothing`);
    const name = fields[field].type.name.replace(/Filter$/, "");
    return and(comparisons.map(([operator, operand]) => compare(name, operator, document[field], operand)));
  });
  return and(all);
};

const terms = (key, orderBy) => {
  const found = (orderBy ?? []).map((term) => {
    const [[field, direction]] = Object.entries(term);
    const descending = direction.startsWith("DESC");
    const nullsFirst = direction.endsWith("_FIRST") || (descending && !direction.endsWith("_LAST"));
    return { field, descending, nullsFirst };
  });
  const names = found.map((term) => term.field);
  if (new Set(names).size < names.length) refuse("a field is in the order twice");
  const descending = found[0]?.descending ?? false;
  const last = names.indexOf(key);
  if (last >= 0) return found.slice(0, last + 1);
  return [...found, { field: key, descending, nullsFirst: descending }];
};

const before = (order, one, other) => {
  for (const { field, descending, nullsFirst } of order) {
    const [a, b] = [one[field], other[field]];
    if (a === b) continue;
    if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
    return (a < b) !== descending ? -1 : 1;
  }
  return 0;
};

const number = (name, value, most) => {
  if (value < 0 || value > most) refuse(`${name} is ${value}`);
  return value;
};

const sorted = (view, order) => [...view.documents].sort((one, other) => before(order, one, other));

const listed = (view, { where, orderBy, limit, offset }) => {
  number("limit", limit, 100);
  number("offset", offset, 4294967295);
  const order = terms(view.key, orderBy);
  // Mistakes in a condition are found without documents.
  const found = sorted(view, order).filter((document) => holds(view.type, where ?? {}, document));
  return found.slice(offset, offset + limit);
};

const paged = (view, args) => {
  const [first, last] = [args.first ?? null, args.last ?? null];
  if (first !== null) number("first", first, 100);
  if (last !== null) number("last", last, 100);
  if (first !== null && last !== null) refuse("first and last");
  const order = terms(view.key, args.orderBy);
  const one = order.filter((term) => term.field === view.key || order.length === 2);
  const name = `${one[0].field} ${one[0].descending} ${one[0].nullsFirst}`;
  const cursors = order.length <= 2 ? view.cursors[name] : undefined;
  const cursor = (document) => cursors?.[document[view.key]] ?? "?";
  const all = sorted(view, order);
  const place = (argument, none) => {
    if (argument === undefined || argument === null) return none;
    const found = all.findIndex((document) => cursor(document) === argument);
    return found < 0 ? refuse("no cursor of this order") : found;
  };
  const after = place(args.after, -1);
  const upTo = place(args.before, all.length);
  const there = all.slice(after + 1, Math.max(upTo, after + 1));
  const counted = all.filter((document) => holds(view.type, args.where ?? {}, document));
  const found = there.filter((document) => counted.includes(document));
  const nodes = last === null ? found.slice(0, first ?? 20) : found.slice(Math.max(found.length - last, 0));
  const more = nodes.length < found.length;
  const edges = nodes.map((node) => ({ node, cursor: cursor(node) }));
  return {
    edges,
    nodes,
    pageInfo: {
      hasNextPage: last === null ? more : (args.before ?? null) !== null,
      hasPreviousPage: last === null ? (args.after ?? null) !== null : more,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: counted.length,
  };
};

// Names in one order.
const sortedNames = (value) => {
  if (Array.isArray(value)) return value.map(sortedNames);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sortedNames(value[name])]));
};

const root = {};
for (const view of served.views ?? []) {
  root[view.one] = (args) => {
    const key = same("ID", args[view.key]);
    return view.documents.find((document) => document[view.key] === key) ?? null;
  };
  root[view.many] = (args) => listed(view, args);
  root[`${view.many}Connection`] = (args) => paged(view, args);
}
for (const [name, value] of Object.entries(served.root ?? {})) {
  root[name] = (args) => {
    if (value?.__error !== undefined) refuse(value.__error);
    if (value?.__echo === true) return JSON.stringify(sortedNames(args));
    if (value?.__root === true) return root;
    return value;
  };
}

const told = (errors) => errors.map(({ message, path }) => ({ message, path }));

const answer = ({ query, variables, operationName }) => {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { valid: false, errors: told([error]) };
  }
  let mistakes;
  try {
    mistakes = validate(schema, document, specifiedRules);
  } catch (error) {
    // A rule about subscriptions reads @skip and @include, whose variables have no values.
    mistakes = [error];
  }
  if (mistakes.length > 0) return { valid: false, errors: told(mistakes) };
  const { data, errors = [] } = execute({ schema, document, rootValue: root, variableValues: variables, operationName });
  const valid = data !== undefined && errors.every((error) => error.path !== undefined);
  return { valid, data: JSON.stringify(data), errors: told(errors) };
};

writeFileSync(process.argv[3], requests.map((request) => `${JSON.stringify(answer(request))}\n`).join(""));
