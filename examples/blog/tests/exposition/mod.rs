//! Parser for the Prometheus text format of `/metrics`.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::{BTreeMap, BTreeSet};

/// The samples of one response.
#[derive(Debug)]
pub(crate) struct Metrics(Vec<Sample>);

/// One line: name, labels and value of a series.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Metrics {
    pub(crate) fn parse(text: &str) -> Self {
        let samples = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(samples.map(Sample::parse).collect())
    }

    /// The values of the series with at least these labels.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let has = |sample: &&Sample| {
            let label = |(key, value): &(&str, &str)| {
                sample.labels.get(*key).is_some_and(|found| found == value)
            };
            sample.name == name && labels.iter().all(label)
        };
        let found = self.0.iter().filter(has);
        found.map(|sample| sample.value).collect()
    }

    /// The value of the only series with at least these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        match self.find(name, labels)[..] {
            [value] => value,
            ref all => panic!("{} samples of {name} with {labels:?}: {self:#?}", all.len()),
        }
    }

    /// The samples with this name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The values of a label of this metric.
    pub(crate) fn labels(&self, name: &str, label: &str) -> BTreeSet<&str> {
        self.named(name)
            .map(|sample| sample.labels[label].as_str())
            .collect()
    }

    /// The names of the metrics; of a histogram, without the suffixes of its series.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let names: BTreeSet<&str> = self.0.iter().map(|sample| sample.name.as_str()).collect();
        let of_histogram = |name: &str| {
            ["_bucket", "_sum", "_count"].iter().find_map(|end| {
                let base = name.strip_suffix(end)?;
                names
                    .contains(&*format!("{base}_bucket"))
                    .then_some(base.len())
            })
        };
        names
            .iter()
            .map(|name| &name[..of_histogram(name).unwrap_or(name.len())])
            .collect()
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        // No label value of the blog has a comma in it.
        let labels = labels.split(',').filter(|label| !label.is_empty());
        Self {
            name: name.to_owned(),
            labels: labels
                .map(|label| {
                    let (key, value) = label.split_once('=').unwrap();
                    (key.to_owned(), value.trim_matches('"').to_owned())
                })
                .collect(),
            value: value.parse().unwrap(),
        }
    }
}
