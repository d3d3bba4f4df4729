//! Families of metrics, as Prometheus reads them: a name, what it means, and a number for each set
//! of labels. Names and units follow <https://prometheus.io/docs/practices/naming/>.

use std::fmt;
use std::iter::once;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::metrics::{BOUNDS, Counters, Durations, Key, Label, Measured};

/// Names and values of labels.
pub(super) type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Writes families one after the other.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    /// Numbers that only grow. `name` is without the `_total` that is written.
    pub(super) fn counter<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in rows {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// A number that only grows and need not be whole, such as seconds.
    pub(super) fn fraction_counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(family)
    }

    /// Numbers that go up and down. Without a row there is no family.
    pub(super) fn gauge<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<N>, f64)>,
    ) -> fmt::Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// One number that goes up and down, if it is known.
    pub(super) fn level(&mut self, name: &str, help: &str, value: Option<f64>) -> fmt::Result {
        self.gauge(name, help, value.map(|value| ([], value)))
    }

    /// Facts, as labels.
    pub(super) fn info<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: &Labels<N>,
    ) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(labels)
    }

    /// Times. What never happened has no row, because a row is many lines.
    pub(super) fn histogram<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<N>, Measured)>,
    ) -> fmt::Result {
        let mut rows = rows.into_iter().filter(|(_, measured)| measured.count > 0).peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, Measured { buckets, count, total }) in rows {
            let bounds = BOUNDS.into_iter().chain(once(f64::INFINITY));
            let buckets: Vec<(f64, u64)> = bounds.zip(buckets).collect();
            let mut row = family.encode_family(&labels)?;
            row.encode_histogram::<NoLabelSet>(total.as_secs_f64(), count, &buckets, None)?;
        }
        Ok(())
    }
}

/// A row for each word.
pub(super) fn each<L: Label>(
    name: &'static str,
    counters: &Counters<L>,
) -> impl Iterator<Item = (Labels<1>, u64)> {
    L::ALL.iter().map(move |word| ([(name, word.as_str())], counters.get(*word)))
}

/// A row for each word.
pub(super) fn each_time<L: Label>(
    name: &'static str,
    durations: &Durations<L>,
) -> impl Iterator<Item = (Labels<1>, Measured)> {
    L::ALL.iter().map(move |word| ([(name, word.as_str())], durations.get(*word)))
}

/// A row for each pair of words.
pub(super) fn each_pair<A: Label, B: Label, T>(
    names: [&'static str; 2],
    get: impl Fn((A, B)) -> T,
) -> impl Iterator<Item = (Labels<2>, T)>
where
    (A, B): Key,
{
    let [first, second] = names;
    let pairs = A::ALL.iter().flat_map(|a| B::ALL.iter().map(move |b| (*a, *b)));
    pairs.map(move |(a, b)| ([(first, a.as_str()), (second, b.as_str())], get((a, b))))
}
