//! The decision, from the numbers alone.
//!
//! The cost of a day is counted in seconds of waiting:
//!
//! | storage | cost |
//! |---|---|
//! | `table` | reads x a stored read + documents that change x (build and store) + writes x [`COMMIT`] |
//! | `live` | reads x a live read |
//! | `matview` | reads x a stored read + refreshes x documents x build x [`COMPARE`] |
//!
//! The least wins. `live` also wins if it is no more than [`TIE`] dearer: it has nothing to
//! migrate, to sync and to repair.

use std::collections::HashSet;
use std::time::Duration;

use crate::advise::measure::Sample;
use crate::advise::report::{Costs, Measured, PathLoad, ViewAdvice, attribute};
use crate::schema::{Data, IndexOn, Storage, View};

/// What a mutation adds to a commit, in seconds, beside the documents: the marks, the locks and the
/// call. Of `benches -- storage`, positions of vehicles.
const COMMIT: f64 = 0.000_6;
/// What a concurrent refresh costs more than building: it sorts, joins and compares all documents. Of
/// `benches -- storage`.
const COMPARE: f64 = 1.2;
/// Costs within this factor are equal.
const TIE: f64 = 1.1;
/// A read of `json` must be faster than one of `jsonb` by this factor.
const FASTER: f64 = 1.1;
/// A commit that takes longer than this, in seconds, should leave its documents to a worker.
const SLOW_COMMIT: f64 = 0.1;
/// The share of the work from which a path is worth a word, and the documents that it must reach.
const SHARE: f64 = 0.5;
const WIDE: f64 = 20.0;
const DAY: f64 = 86_400.0;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    pub(super) reads_per_day: Option<f64>,
    pub(super) max_age: Option<Duration>,
}

/// What fits a view.
pub(super) fn advise(
    view: &View,
    sample: Sample,
    paths: Vec<PathLoad>,
    demand: Demand,
) -> ViewAdvice {
    let writes = writes_per_day(&paths);
    let reads = demand.reads_per_day.unwrap_or((10.0 * writes).max(1000.0));
    let data = data(view, &sample);
    let read_stored = match data {
        Data::Jsonb => sample.read_jsonb,
        Data::Json => sample.read_json,
    }
    .as_secs_f64();
    let store = sample.store_many.max(sample.build_many).as_secs_f64();
    let touched: f64 = paths.iter().map(PathLoad::documents_per_day).sum();
    let refreshes = demand.max_age.map(|age| DAY / age.as_secs_f64().max(1.0));
    let build_all = sample.documents as f64 * sample.build_many.as_secs_f64();
    let costs = Costs {
        table: reads * read_stored + touched * store + writes * COMMIT,
        live: reads * sample.build_one.as_secs_f64(),
        matview: refreshes.map(|count| reads * read_stored + count * build_all * COMPARE),
    };
    let storage = cheapest(&costs, demand.max_age);
    let stored = storage == Storage::Table;
    let slow = paths
        .iter()
        .filter(|path| stored && path.fan_out.unwrap_or(0.0) * store > SLOW_COMMIT);
    let eventual = slow.clone().next().is_some();
    let heavy = |path: &&PathLoad| {
        stored
            && path.fan_out.unwrap_or(0.0) >= WIDE
            && path.documents_per_day() > SHARE * touched
            && touched * store > SHARE * costs.table
    };
    let embed_less: Vec<PathLoad> = paths.iter().filter(heavy).cloned().collect();
    let mut reasons = vec![
        format!(
            "a day: {reads:.0} reads{}, {writes:.0} rows written, {touched:.0} documents changed by them",
            if demand.reads_per_day.is_none() {
                " (assumed)"
            } else {
                ""
            }
        ),
        format!(
            "one read: {} live, {} stored as jsonb, {} as json; a document of {:.1} KB is built among \
             many in {}, built and stored in {}",
            shown(sample.build_one),
            shown(sample.read_jsonb),
            shown(sample.read_json),
            sample.bytes_jsonb / 1000.0,
            shown(sample.build_many),
            shown(sample.store_many),
        ),
        compared(&costs, storage),
    ];
    reasons.extend(break_even(&sample, read_stored, touched, store, writes));
    if let Some(path) = slow.clone().next() {
        reasons.push(format!(
            "eventual: one change of {} writes {:.0} documents, {:.0} ms in its commit",
            path.path,
            path.fan_out.unwrap_or(0.0),
            1000.0 * path.fan_out.unwrap_or(0.0) * store
        ));
    }
    for path in &embed_less {
        reasons.push(format!(
            "embed less: {path} are {:.0}% of the documents that change; without them the table would \
             cost {:.1} s a day",
            100.0 * path.documents_per_day() / touched,
            costs.table - path.documents_per_day() * store
        ));
    }
    if let Some(path) = paths.first().filter(|path| path.counted_days < 1.0) {
        reasons.push(format!(
            "the server has counted writes for {:.1} hours only",
            24.0 * path.counted_days
        ));
    }
    ViewAdvice {
        view: view.shape.name,
        table: view.table,
        storage,
        data,
        eventual,
        embed_less,
        measured: Measured {
            documents: sample.documents,
            read_live: sample.build_one,
            read_jsonb: sample.read_jsonb,
            read_json: sample.read_json,
            build: sample.build_many,
            store: sample.store_many,
            bytes: match data {
                Data::Jsonb => sample.bytes_jsonb,
                Data::Json => sample.bytes_json,
            },
            reads_per_day: reads,
            paths,
        },
        costs,
        reasons,
    }
}

/// The rows that are written in a day to all base tables, each table once.
fn writes_per_day(paths: &[PathLoad]) -> f64 {
    let mut seen = HashSet::new();
    paths
        .iter()
        .filter(|path| seen.insert(path.table))
        .map(|path| path.writes_per_day)
        .sum()
}

/// `json` unless documents are searched, or `jsonb` is as fast.
fn data(view: &View, sample: &Sample) -> Data {
    let is_searched = view
        .indexes
        .iter()
        .any(|index| matches!(index.on, IndexOn::Gin(_)));
    let faster = sample.read_jsonb.as_secs_f64() > FASTER * sample.read_json.as_secs_f64();
    if faster && !is_searched {
        Data::Json
    } else {
        Data::Jsonb
    }
}

fn cheapest(costs: &Costs, max_age: Option<Duration>) -> Storage {
    let matview = Storage::Matview { refresh: max_age };
    let others = [
        (Storage::Table, costs.table),
        (matview, costs.matview.unwrap_or(f64::INFINITY)),
    ];
    let (other, cost) = if others[1].1 < others[0].1 {
        others[1]
    } else {
        others[0]
    };
    if costs.live <= TIE * cost {
        Storage::Live
    } else {
        other
    }
}

/// The costs of all storages, and what it would cost to be wrong.
fn compared(costs: &Costs, chosen: Storage) -> String {
    let chosen_cost = costs.of(chosen).unwrap_or(0.0);
    let mut parts = Vec::new();
    for (storage, cost) in [
        (Storage::Table, Some(costs.table)),
        (Storage::Live, Some(costs.live)),
        (Storage::Matview { refresh: None }, costs.matview),
    ] {
        let name = attribute(storage).replace("storage = ", "");
        let same = std::mem::discriminant(&storage) == std::mem::discriminant(&chosen);
        match cost {
            None => parts.push(format!("{name} only if documents may be old")),
            Some(cost) if same => parts.push(format!("{name} {cost:.2} s")),
            Some(cost) => parts.push(format!(
                "{name} {cost:.2} s, {:.1} times as much",
                cost / chosen_cost.max(1e-9)
            )),
        }
    }
    format!("cost of a day: {}", parts.join("; "))
}

/// From how many reads on a view table pays.
fn break_even(
    sample: &Sample,
    read_stored: f64,
    touched: f64,
    store: f64,
    writes: f64,
) -> Option<String> {
    let saved = sample.build_one.as_secs_f64() - read_stored;
    (saved > 0.0).then(|| {
        format!(
            "a view table pays from {:.0} reads a day on",
            (touched * store + writes * COMMIT) / saved
        )
    })
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", 1000.0 * time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Demand, advise};
    use crate as fraiseql_runtime;
    use crate::TView;
    use crate::advise::measure::Sample;
    use crate::advise::report::PathLoad;
    use crate::schema::{Data, Storage};

    #[derive(TView)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct Post {
        id: i64,
    }

    #[derive(TView)]
    #[tview(crate = fraiseql_runtime, index(gin))]
    #[allow(dead_code)]
    struct Searched {
        id: i64,
    }

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn sample() -> Sample {
        Sample {
            documents: 10_000,
            build_one: micros(300),
            build_many: micros(40),
            store_many: micros(60),
            read_jsonb: micros(90),
            read_json: micros(60),
            bytes_jsonb: 2000.0,
            bytes_json: 1800.0,
        }
    }

    fn path(writes_per_day: f64, fan_out: f64) -> PathLoad {
        PathLoad {
            path: "tb_user.id -> Post.author".to_owned(),
            table: Post::VIEW.shape.table,
            writes_per_day,
            counted_days: 10.0,
            fan_out: Some(fan_out),
        }
    }

    fn storage(reads: f64, paths: Vec<PathLoad>, max_age: Option<Duration>) -> Storage {
        let demand = Demand {
            reads_per_day: Some(reads),
            max_age,
        };
        advise(Post::VIEW, sample(), paths, demand).storage
    }

    #[test]
    fn many_reads_pay_for_a_table_and_many_writes_do_not() {
        assert_eq!(storage(1e6, vec![path(1e4, 1.0)], None), Storage::Table);
        assert_eq!(storage(1e4, vec![path(1e6, 1.0)], None), Storage::Live);
        // One rename for each read, of 100 documents.
        assert_eq!(storage(1e4, vec![path(1e4, 100.0)], None), Storage::Live);
    }

    #[test]
    fn a_materialized_view_needs_leave_to_be_old() {
        let paths = || vec![path(1e6, 10.0)];
        let hour = Duration::from_secs(3600);
        assert_eq!(storage(1e6, paths(), None), Storage::Live);
        assert_eq!(
            storage(1e6, paths(), Some(hour)),
            Storage::Matview {
                refresh: Some(hour)
            }
        );
        // Every second is too often.
        assert_eq!(
            storage(1e6, paths(), Some(Duration::from_secs(1))),
            Storage::Live
        );
    }

    #[test]
    fn a_document_that_costs_as_much_to_build_as_to_read_stays_live() {
        let sample = Sample {
            build_one: micros(64),
            ..sample()
        };
        let demand = Demand {
            reads_per_day: Some(1e9),
            max_age: None,
        };
        assert_eq!(
            advise(Post::VIEW, sample, Vec::new(), demand).storage,
            Storage::Live
        );
    }

    #[test]
    fn searched_documents_stay_jsonb() {
        let demand = Demand::default();
        let advice = advise(Post::VIEW, sample(), vec![path(1.0, 1.0)], demand);
        assert_eq!(advice.data, Data::Json);
        let advice = advise(Searched::VIEW, sample(), vec![path(1.0, 1.0)], demand);
        assert_eq!(advice.data, Data::Jsonb);
    }

    #[test]
    fn a_change_of_many_documents_is_left_to_a_worker_and_named() {
        let demand = Demand {
            reads_per_day: Some(1e8),
            max_age: None,
        };
        let advice = advise(Post::VIEW, sample(), vec![path(5000.0, 10_000.0)], demand);
        assert_eq!(advice.storage, Storage::Table);
        assert!(advice.eventual);
        let text = advice.to_string();
        assert!(text.contains("writes 10000 documents"), "{text}");
        // The reads are most of the work.
        assert!(
            advice.embed_less.is_empty() || text.contains("embed less"),
            "{text}"
        );
    }

    #[test]
    fn without_reads_given_ten_for_each_write_are_assumed() {
        let advice = advise(
            Post::VIEW,
            sample(),
            vec![path(500.0, 1.0)],
            Demand::default(),
        );
        assert_eq!(advice.measured.reads_per_day, 5000.0);
        assert!(advice.to_string().contains("5000 reads (assumed)"));
    }
}
