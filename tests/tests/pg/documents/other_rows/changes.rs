//! Random statements: rows that are inserted, changed, moved to another row, deleted, and truncated.

/// The tables that are changed.
pub(super) const TABLES: [&str; 5] = [
    "tb_project",
    "tb_ticket",
    "tb_hours",
    "tb_label",
    "tb_project_label",
];

#[derive(Debug)]
pub(super) struct Statement {
    /// The table whose rows it returns the keys of.
    pub(super) table: &'static str,
    pub(super) sql: String,
}

/// A sequence of numbers that looks random, and is the same in each run (xorshift).
pub(super) struct Changes(u64);

impl Changes {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 1 to `max`.
    fn number(&mut self, max: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + self.0 % max
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        let count = u64::try_from(texts.len()).unwrap_or(1);
        let index = self.number(count) - 1;
        texts[usize::try_from(index).unwrap_or_default()]
    }

    /// The statements of a transaction.
    pub(super) fn transaction(&mut self, truncates: bool) -> Vec<Statement> {
        if truncates && self.number(25) == 1 {
            let table = self.one_of(&["tb_ticket", "tb_hours", "tb_project_label"]);
            let sql = format!("TRUNCATE {table} CASCADE");
            return vec![Statement { table, sql }];
        }
        (0..self.number(3)).map(|_| self.statement()).collect()
    }

    fn statement(&mut self) -> Statement {
        let table = self.one_of(&[
            "tb_project",
            "tb_ticket",
            "tb_ticket",
            "tb_hours",
            "tb_hours",
            "tb_hours",
            "tb_label",
            "tb_project_label",
            "tb_project_label",
        ]);
        let sql = match self.number(5) {
            1 => self.delete(table),
            2 => self.update(table),
            _ => self.put(table),
        };
        Statement { table, sql }
    }

    fn id(&mut self, table: &str) -> u64 {
        self.number(match table {
            "tb_project" | "tb_label" => 4,
            "tb_ticket" => 9,
            "tb_project_label" => 10,
            _ => 15,
        })
    }

    fn delete(&mut self, table: &str) -> String {
        let id = self.id(table);
        format!("DELETE FROM {table} WHERE id = {id} RETURNING id")
    }

    /// Changes one column of several rows.
    fn update(&mut self, table: &str) -> String {
        let (n, id) = (self.number(4), self.id(table));
        let set = match table {
            "tb_project" => format!("name = 'project ' || {n}"),
            "tb_ticket" => match self.number(3) {
                1 => "status = CASE status WHEN 'open' THEN 'done' ELSE 'open' END".to_owned(),
                2 => format!("points = points + {n}"),
                _ => format!(
                    "project_id = coalesce((SELECT p.id FROM tb_project AS p WHERE p.id = {n}), project_id)"
                ),
            },
            "tb_hours" => match self.number(3) {
                1 => format!("hours = {n}"),
                2 => "billed = NOT billed".to_owned(),
                _ => format!(
                    "ticket_id = coalesce((SELECT t.id FROM tb_ticket AS t WHERE t.id = {n}), ticket_id)"
                ),
            },
            "tb_label" => format!("name = 'label ' || {n}"),
            _ => format!("position = {n} - position"),
        };
        format!("UPDATE {table} SET {set} WHERE id >= {id} RETURNING id")
    }

    /// Inserts a row, or changes all of its columns. Not if it would refer to a row that is not there.
    fn put(&mut self, table: &str) -> String {
        let (id, n) = (self.id(table), self.number(4));
        let (parent, other) = (self.number(4), self.number(4));
        match table {
            "tb_project" => format!(
                "INSERT INTO tb_project VALUES ({id}, 'project {n}')
                 ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name RETURNING id"
            ),
            "tb_ticket" => {
                let status = self.one_of(&["open", "done", "new"]);
                let points = self.one_of(&["NULL", "1", "1.5", "2", "3.25"]);
                format!(
                    "INSERT INTO tb_ticket SELECT {id}, p.id, '{status}', {points} FROM tb_project AS p WHERE p.id = {parent}
                     ON CONFLICT (id) DO UPDATE SET project_id = EXCLUDED.project_id,
                        status = EXCLUDED.status, points = EXCLUDED.points RETURNING id"
                )
            }
            "tb_hours" => {
                let (ticket, billed) = (self.id("tb_ticket"), self.one_of(&["true", "false"]));
                format!(
                    "INSERT INTO tb_hours SELECT {id}, t.id, 'person {n}', {other}.5, {billed} FROM tb_ticket AS t WHERE t.id = {ticket}
                     ON CONFLICT (id) DO UPDATE SET ticket_id = EXCLUDED.ticket_id,
                        person = EXCLUDED.person, hours = EXCLUDED.hours, billed = EXCLUDED.billed RETURNING id"
                )
            }
            "tb_label" => format!(
                "INSERT INTO tb_label VALUES ({id}, 'label {n}')
                 ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name RETURNING id"
            ),
            _ => format!(
                "INSERT INTO tb_project_label SELECT {id}, p.id, l.id, {n} FROM tb_project AS p, tb_label AS l
                 WHERE p.id = {parent} AND l.id = {other}
                 ON CONFLICT (id) DO UPDATE SET project_id = EXCLUDED.project_id,
                    label_id = EXCLUDED.label_id, position = EXCLUDED.position RETURNING id"
            ),
        }
    }
}
