//! Random values of arguments: constants, and variables.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

use super::{Generator, Variable};
use crate::graphql::oracle::query::{Val, VarDef};
use crate::graphql::oracle::types::{Argument, Type, named};

/// Literals that can be written in several ways: the type, the text and its JSON.
const WRITTEN: &[(&str, &str, &str)] = &[
    ("Int", "-0", "0"),
    ("Int", "0", "0"),
    ("Int", "2147483647", "2147483647"),
    ("Int", "-2147483648", "-2147483648"),
    ("Float", "0.0", "0"),
    ("Float", "1e2", "100"),
    ("Float", "-12.50E-1", "-1.25"),
    ("Float", "4E+0", "4"),
    ("String", r#""""""""#, r#""""#),
    (
        "String",
        r#""""a "quoted" \n text""""#,
        r#""a \"quoted\" \\n text""#,
    ),
    (
        "String",
        "\"\"\"\n    a\n      b\n\n\t\n    \\\"\"\" c\n  \"\"\"",
        "\"  a\\n    b\\n\\n\\t\\n  \\\"\\\"\\\" c\"",
    ),
    (
        "String",
        r#""\u0041\u{1F600}\uD83D\uDE00\t\/\b\f\\z""#,
        r#""A😀😀\t/\b\f\\z""#,
    ),
    ("String", "\"# , \u{feff}\"", "\"# , \u{feff}\""),
    ("ID", "7", "7"),
    ("ID", "-7", "-7"),
];

impl Generator<'_> {
    /// The value of an argument, whose location is known.
    pub(super) fn argument(&mut self, arg: &Argument) -> Val {
        if self.chance(25) {
            return self.variable(arg);
        }
        match arg.name.as_str() {
            "after" | "before" if self.chance(90) => Val::Str(self.one_of(&self.pools.cursors)),
            "limit" | "offset" | "first" | "last" if self.chance(97) => {
                Val::Int(self.rng.random_range(0..8))
            }
            // graphql-js does not know cursors of orders by several terms.
            "orderBy" if self.chance(70) => {
                let mut inner = arg.ty.trim_end_matches('!').to_owned();
                inner = inner[1..inner.len() - 1].to_owned();
                self.value(&inner)
            }
            _ => self.value(&arg.ty),
        }
    }

    fn variable(&mut self, arg: &Argument) -> Val {
        // Reuses an existing variable.
        let fits = |variable: &&(&String, &Variable)| {
            variable.1.ty == arg.ty || variable.1.ty == format!("{}!", arg.ty)
        };
        let there: Vec<_> = self.variables.iter().collect();
        let there: Vec<_> = there.iter().filter(fits).map(|one| one.0.clone()).collect();
        if !there.is_empty() && self.chance(40) {
            return Val::Var(self.one_of(&there));
        }
        let nullable = arg.ty.trim_end_matches('!').to_owned();
        let (ty, default) = match self.rng.random_range(0..4) {
            0 => (format!("{nullable}!"), None),
            1 => {
                let default = self.constant(&format!("{nullable}!"));
                (nullable, Some(default))
            }
            2 if arg.default => (nullable, None),
            3 => {
                let default = self.chance(50).then(|| self.constant(&arg.ty));
                (arg.ty.clone(), default)
            }
            _ => (arg.ty.clone(), None),
        };
        let required = ty.ends_with('!') && default.is_none();
        let value = (required || self.chance(65)).then(|| self.constant(&ty));
        let name = self.fresh("v");
        let variable = Variable { ty, default, value };
        self.variables.insert(name.clone(), variable);
        Val::Var(name)
    }

    /// Makes the type of a variable one without null, which a field of a `@oneOf` object needs.
    fn strengthen(&mut self, variable: &Val, is_one_of: bool) {
        if let Val::Var(name) = variable
            && is_one_of
            && self.chance(95)
            && let Some(ty) = self.variables.get(name).map(|variable| variable.ty.clone())
            && !ty.ends_with('!')
        {
            let ty = format!("{ty}!");
            let value = self.constant(&ty);
            let variable = self.variables.get_mut(name);
            if let Some(variable) = variable {
                variable.ty = ty;
                variable.value = Some(value);
            }
        }
    }

    /// Other values for the variables of an operation: some are omitted, and some are wrong.
    pub(crate) fn variables(&mut self, definitions: &[VarDef]) -> Map<String, Value> {
        let mut values = Map::new();
        for definition in definitions {
            let VarDef { name, ty, .. } = definition;
            let is_required = ty.ends_with('!') && definition.default.is_none();
            if self.chance(if is_required { 1 } else { 20 }) {
                continue;
            }
            let value = match self.rng.random_range(0..100) {
                0..2 => Value::Null,
                2..5 => self.wrong(),
                5..7 => json!([self.constant(ty).json()]),
                // A number of documents, mostly.
                7..80 if ty.trim_end_matches('!') == "Int" => json!(self.rng.random_range(0..8)),
                _ => self.constant(ty).json(),
            };
            values.insert(name.clone(), value);
        }
        values
    }

    /// A value that is valid for few types.
    fn wrong(&mut self) -> Value {
        let values = [
            json!(-1),
            json!(2.0),
            json!(1.5),
            json!(1e21),
            json!(2_147_483_648_i64),
            json!("7"),
            json!("DRAFT"),
            json!("ASC"),
            json!(true),
            json!([]),
            json!([null]),
            json!({}),
            json!({"id": null}),
            json!({"title": {"eq": null}}),
            json!({"title": {"eq": "post 03", "nothing": 1}}),
            json!({"title": "ASC", "id": "DESC"}),
            json!({"and": [{"title": {"gt": "post 04"}}, null]}),
            json!({"not": {"status": {"in": "DRAFT"}}}),
        ];
        self.one_of(&values)
    }

    /// A value without variables.
    fn constant(&mut self, ty: &str) -> Val {
        self.within += 100;
        let value = self.value(ty);
        self.within -= 100;
        value
    }

    pub(crate) fn value(&mut self, ty: &str) -> Val {
        let (ty, nullable) = match ty.strip_suffix('!') {
            Some(ty) => (ty, false),
            None => (ty, true),
        };
        if nullable && self.chance(6) {
            return Val::Null;
        }
        self.within += 1;
        let value = self.present(ty);
        self.within -= 1;
        value
    }

    fn present(&mut self, ty: &str) -> Val {
        if let Some(inner) = ty.strip_prefix('[').and_then(|ty| ty.strip_suffix(']')) {
            if self.chance(10) {
                return self.value(&format!("{}!", inner.trim_end_matches('!')));
            }
            let most = if named(ty).ends_with("OrderBy") { 2 } else { 4 };
            let count = self.rng.random_range(0..most);
            return Val::List((0..count).map(|_| self.value(inner)).collect());
        }
        let types = self.types;
        match types.of.get(ty) {
            Some(Type::Enum(values)) => Val::Enum(self.one_of(values)),
            Some(Type::Input(fields, oneof)) => self.object(fields, *oneof),
            _ => self.scalar(ty),
        }
    }

    fn object(&mut self, fields: &[Argument], oneof: bool) -> Val {
        let deep = self.within % 100 > 5;
        let count = if oneof {
            1
        } else {
            self.rng.random_range(0..3)
        };
        let mut chosen: Vec<_> = Vec::new();
        let is_required = |field: &&Argument| field.ty.ends_with('!') && !field.default;
        let required = fields.iter().filter(is_required);
        let optional: Vec<_> = fields.iter().filter(|field| !is_required(field)).collect();
        let optional = optional
            .choose_multiple(&mut self.rng.clone(), count)
            .copied();
        let forgets = self.chance(2);
        for field in required.filter(|_| !forgets).chain(optional) {
            if deep && ["and", "or", "not"].contains(&field.name.as_str()) {
                continue;
            }
            let ty = if oneof || !self.chance(10) {
                format!("{}!", field.ty.trim_end_matches('!'))
            } else {
                field.ty.clone()
            };
            let value = if self.within < 100 && self.chance(10) {
                let there = Argument {
                    name: String::new(),
                    ty,
                    default: false,
                };
                let variable = self.variable(&there);
                self.strengthen(&variable, oneof);
                variable
            } else {
                self.value(&ty)
            };
            chosen.push((field.name.clone(), value));
        }
        self.rng.random::<u32>();
        Val::Obj(chosen)
    }

    /// A value of a scalar that accepts any.
    fn json(&mut self) -> Val {
        match self.rng.random_range(0..6) {
            0 => Val::Bool(true),
            1 => Val::Int(7),
            2 => Val::Str("text".to_owned()),
            3 => Val::Enum("ANY".to_owned()),
            4 => Val::List(vec![self.value("Int"), self.value("String!")]),
            _ => {
                let inner = self.value("Float");
                Val::Obj(vec![("a".to_owned(), inner), ("b".to_owned(), Val::Null)])
            }
        }
    }

    fn scalar(&mut self, ty: &str) -> Val {
        let written = WRITTEN.iter().filter(|(of, ..)| *of == ty);
        let written: Vec<_> = written.collect();
        if !written.is_empty() && self.chance(10) {
            let (_, text, value) = self.one_of(&written);
            return Val::Written(text, serde_json::from_str(value).unwrap());
        }
        match ty {
            "JSON" => self.json(),
            "Int" | "BigInt" => Val::Int(self.rng.random_range(-1..6)),
            "Float" if self.chance(50) => Val::Int(self.rng.random_range(-1..6)),
            "Float" => Val::Float(f64::from(self.rng.random_range(-4..20)) / 4.0),
            "Boolean" => Val::Bool(self.chance(50)),
            "ID" | "UUID" => match self.rng.random_range(0..20) {
                0 => Val::Int(self.rng.random_range(0..9)),
                1 => Val::Str("nobody".to_owned()),
                _ => Val::Str(self.one_of(&self.pools.ids)),
            },
            "DateTime" => Val::Str(self.one_of(&self.pools.times)),
            _ => Val::Str(self.one_of(&self.pools.texts)),
        }
    }
}
