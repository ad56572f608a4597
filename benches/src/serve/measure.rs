//! Figures of one round, and their medians.

use std::time::Duration;

use super::load::Round;

/// Figures of one contender with one operation, of a round or as medians of rounds.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Measured {
    /// Requests in a second.
    pub(crate) per_second: f64,
    /// Latency in microseconds.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Processor time per request in microseconds: of the server's processes, of PostgreSQL's
    /// backends, of the client. `None` if it cannot be measured.
    pub(crate) server: Option<f64>,
    pub(crate) postgres: Option<f64>,
    pub(crate) client: Option<f64>,
    /// Resident memory of the server's processes in bytes.
    pub(crate) memory: Option<f64>,
}

impl Measured {
    pub(crate) fn of(round: &Round, server: Duration, postgres: Duration, memory: u64) -> Self {
        let requests = round.requests as f64;
        let part = |time: Duration| Some(time.as_secs_f64() * 1e6 / requests);
        let at = |part: f64| round.latencies.value_at_quantile(part) as f64 / 1e3;
        let known = |value: Option<f64>| value.filter(|_| memory > 0);
        Self {
            per_second: requests / round.time.as_secs_f64(),
            median: at(0.5),
            p99: at(0.99),
            server: known(part(server)),
            postgres: known(part(postgres)).filter(|time| *time > 0.0),
            client: known(part(round.cpu)),
            memory: known(Some(memory as f64)),
        }
    }

    /// The median of each figure.
    pub(crate) fn median_of(rounds: &[Self]) -> Self {
        let some = |figure: fn(&Self) -> Option<f64>| {
            let figures: Vec<f64> = rounds.iter().filter_map(figure).collect();
            (!figures.is_empty()).then(|| median(figures))
        };
        let all = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            per_second: all(|round| round.per_second),
            median: all(|round| round.median),
            p99: all(|round| round.p99),
            server: some(|round| round.server),
            postgres: some(|round| round.postgres),
            client: some(|round| round.client),
            memory: some(|round| round.memory),
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => f64::midpoint(figures[n / 2 - 1], figures[n / 2]),
    }
}
