//! Random rows, and random changes of them.

use sqlx::{AssertSqlSafe, PgPool};

/// A pseudorandom generator, the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A value from 1 to `sides`, or null.
    pub(super) fn maybe(&mut self, sides: u64) -> String {
        match self.below(sides + 1) {
            0 => "NULL".to_owned(),
            n => n.to_string(),
        }
    }

    pub(super) fn badge(&mut self) -> String {
        match self.below(7) {
            0 => "NULL".to_owned(),
            n => format!("'b{n}'"),
        }
    }

    pub(super) fn country(&mut self) -> String {
        (*self.pick(&["NULL", "'DE'", "'FR'", "'JP'"])).to_owned()
    }

    pub(super) fn currency(&mut self) -> String {
        match self.below(3) {
            0 => "NULL".to_owned(),
            n => format!("'00000000-0000-0000-0000-00000000000{n}'"),
        }
    }

    pub(super) fn bool(&mut self) -> &'static str {
        if self.below(2) == 0 { "true" } else { "false" }
    }

    pub(super) fn name(&mut self) -> String {
        match self.below(6) {
            0 => "'hidden'".to_owned(),
            n => format!("'name {n}'"),
        }
    }
}

pub(super) const CODES: [&str; 3] = ["DE", "FR", "JP"];

/// A table, the columns that can change with a value for each, and the key of a row.
pub(super) fn change(dice: &mut Dice) -> (&'static str, &'static str, String, String) {
    match dice.below(7) {
        0 => {
            let set = match dice.below(5) {
                0 => format!("name = {}", dice.name()),
                1 => format!("manager_id = {}", dice.maybe(6)),
                2 => format!("country = {}", dice.country()),
                // A badge is unique.
                3 => "badge = NULL".to_owned(),
                _ => format!("badge = 'b{}x'", dice.below(1000)),
            };
            (
                "\"H R\".\"tb Staff\"",
                "id",
                (dice.below(6) + 1).to_string(),
                set,
            )
        }
        1 => {
            let set = match dice.below(2) {
                0 => format!("name = {}", dice.name()),
                _ => format!("currency = {}", dice.currency()),
            };
            ("tb_country", "code", (*dice.pick(&CODES)).to_owned(), set)
        }
        2 => {
            let key = format!("00000000-0000-0000-0000-00000000000{}", dice.below(2) + 1);
            (
                "tb_currency",
                "id",
                key,
                format!("sign = 's{}'", dice.below(9)),
            )
        }
        3 => {
            let set = match dice.below(2) {
                0 => format!("title = {}", dice.name()),
                _ => format!("lead_badge = {}", dice.badge()),
            };
            ("tb_project", "id", (dice.below(4) + 1).to_string(), set)
        }
        4 => {
            let set = match dice.below(4) {
                0 => format!("project_id = {}", dice.maybe(4)),
                1 => format!("assignee = {}", dice.maybe(6)),
                2 => format!("hours = {}", dice.below(50)),
                _ => format!("done = {}", dice.bool()),
            };
            ("tb_task", "id", (dice.below(12) + 1).to_string(), set)
        }
        5 => (
            "tb_skill",
            "id",
            (dice.below(3) + 1).to_string(),
            format!("name = {}", dice.name()),
        ),
        _ => {
            let set = match dice.below(3) {
                0 => format!("badge = {}", dice.badge()),
                1 => format!("skill_id = {}", dice.maybe(3)),
                _ => format!("level = {}", dice.below(9)),
            };
            (
                "tb_staff_skill",
                "id",
                (dice.below(10) + 1).to_string(),
                set,
            )
        }
    }
}

/// Rows for all tables.
pub(super) async fn fill(pool: &PgPool, dice: &mut Dice) -> anyhow::Result<()> {
    let mut sql = vec![
        "TRUNCATE \"H R\".\"tb Staff\", tb_country, tb_currency, tb_project, tb_task, tb_skill, tb_staff_skill".to_owned(),
        "INSERT INTO tb_currency SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 's' FROM generate_series(1, 2) AS n".to_owned(),
        "INSERT INTO tb_skill SELECT n, 'skill' || n FROM generate_series(1, 3) AS n".to_owned(),
    ];
    for code in CODES {
        sql.push(format!(
            "INSERT INTO tb_country VALUES ('{code}', 'country', {})",
            dice.currency()
        ));
    }
    for id in 1..=6 {
        let (name, manager, country) = (dice.name(), dice.maybe(6), dice.country());
        sql.push(format!(
            "INSERT INTO \"H R\".\"tb Staff\" VALUES ({id}, 'b{id}', {name}, {manager}, {country})"
        ));
    }
    for id in 1..=4 {
        sql.push(format!(
            "INSERT INTO tb_project VALUES ({id}, 'title', {})",
            dice.badge()
        ));
    }
    for id in 1..=12 {
        let (project, assignee, hours) = (dice.maybe(4), dice.maybe(6), dice.below(50));
        sql.push(format!(
            "INSERT INTO tb_task VALUES ({id}, {project}, {assignee}, {hours}, {})",
            dice.bool()
        ));
    }
    for id in 1..=10 {
        let (badge, skill, level) = (dice.badge(), dice.maybe(3), dice.below(9));
        sql.push(format!(
            "INSERT INTO tb_staff_skill VALUES ({badge}, {skill}, {level}, {id})"
        ));
    }
    // Too large for a small key, so it is in no document.
    sql.push("INSERT INTO tb_task VALUES (13, 70000, 1, 1, false)".to_owned());
    sqlx::raw_sql(AssertSqlSafe(sql.join(";")))
        .execute(pool)
        .await?;
    Ok(())
}
