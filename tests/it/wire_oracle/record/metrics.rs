//! What a walk tells of data points as owned values, doubles by their bits, and what it should tell of decoded ones.

use engine::view::{Data, Origin, PointExemplar, PointValue, Temporality};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    self as metrics, exemplar, metric, number_data_point,
};

use super::{Call, Told, attribute_calls, resource_calls, scope_calls, told};

/// A point's value.
#[derive(Debug, PartialEq)]
pub enum Measured {
    None,
    Int(i64),
    Double(u64),
    Histogram {
        count: u64,
        sum: Option<u64>,
        counts: Vec<u64>,
        bounds: Vec<u64>,
    },
    Exponential {
        count: u64,
        sum: Option<u64>,
        scale: i32,
        zeros: [u64; 2],
        positive: (i32, Vec<u64>),
        negative: (i32, Vec<u64>),
    },
    Summary {
        count: u64,
        sum: u64,
        quantiles: Vec<[u64; 2]>,
    },
}

/// An exemplar.
#[derive(Debug, PartialEq)]
pub struct Sampled {
    ids: [Vec<u8>; 2],
    time: u64,
    value: Told,
}

impl Measured {
    pub fn told(value: PointValue<'_>) -> Self {
        match value {
            PointValue::None => Self::None,
            PointValue::Int(value) => Self::Int(value),
            PointValue::Double(value) => Self::Double(value.to_bits()),
            PointValue::Histogram(value) => Self::Histogram {
                count: value.count,
                sum: value.sum.map(f64::to_bits),
                counts: value.counts.iter().collect(),
                bounds: value.bounds.iter().map(f64::to_bits).collect(),
            },
            PointValue::Exponential(value) => Self::Exponential {
                count: value.count,
                sum: value.sum.map(f64::to_bits),
                scale: value.scale,
                zeros: [value.zero_count, value.zero_threshold.to_bits()],
                positive: (value.positive.offset, value.positive.counts.iter().collect()),
                negative: (value.negative.offset, value.negative.counts.iter().collect()),
            },
            PointValue::Summary(value) => {
                let quantiles = value.quantiles.iter();
                let quantiles = quantiles.map(|q| [q.quantile.to_bits(), q.value.to_bits()]);
                let quantiles = quantiles.collect();
                Self::Summary { count: value.count, sum: value.sum.to_bits(), quantiles }
            }
        }
    }
}

impl Sampled {
    pub fn told(exemplar: PointExemplar<'_>) -> Self {
        let ids = [exemplar.trace_id.into(), exemplar.span_id.into()];
        Self { ids, time: exemplar.time.0, value: told(exemplar.value) }
    }

    fn expected(exemplar: &metrics::Exemplar) -> Self {
        let value = match exemplar.value {
            None => Told::Empty,
            Some(exemplar::Value::AsDouble(value)) => Told::Double(value.to_bits()),
            Some(exemplar::Value::AsInt(value)) => Told::Int(value),
        };
        let ids = [exemplar.trace_id.clone(), exemplar.span_id.clone()];
        Self { ids, time: exemplar.time_unix_nano, value }
    }
}

/// The calls a decoded metrics request should make.
pub fn metric_calls(request: &ExportMetricsServiceRequest) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in &request.resource_metrics {
        resource_calls(resource.resource.as_ref(), &mut calls);
        for scope in &resource.scope_metrics {
            scope_calls(scope.scope.as_ref(), &scope.schema_url, &mut calls);
            for metric in &scope.metrics {
                one_metric(metric, &mut calls);
            }
        }
    }
    calls
}

/// What differs between the four messages of points.
struct Parts<'a> {
    attributes: &'a [KeyValue],
    times: [u64; 2],
    flags: u32,
    value: Measured,
    exemplars: &'a [metrics::Exemplar],
}

fn one_metric(metric: &metrics::Metric, calls: &mut Vec<Call>) {
    let temporality = |number: i32| match number {
        1 => Temporality::Delta,
        2 => Temporality::Cumulative,
        _ => Temporality::Unspecified,
    };
    let (data, points): (_, Vec<Parts<'_>>) = match &metric.data {
        None => return,
        Some(metric::Data::Gauge(data)) => {
            (Data::Gauge, data.data_points.iter().map(number).collect())
        }
        Some(metric::Data::Sum(data)) => {
            let temporality = temporality(data.aggregation_temporality);
            let kind = Data::Sum { temporality, monotonic: data.is_monotonic };
            (kind, data.data_points.iter().map(number).collect())
        }
        Some(metric::Data::Histogram(data)) => {
            let temporality = temporality(data.aggregation_temporality);
            let points = data.data_points.iter().map(histogram).collect();
            (Data::Histogram { temporality }, points)
        }
        Some(metric::Data::ExponentialHistogram(data)) => {
            let temporality = temporality(data.aggregation_temporality);
            let points = data.data_points.iter().map(exponential).collect();
            (Data::Exponential { temporality }, points)
        }
        Some(metric::Data::Summary(data)) => {
            (Data::Summary, data.data_points.iter().map(summary).collect())
        }
    };
    let texts = [&metric.name, &metric.description, &metric.unit];
    calls.push(Call::Metric { texts: texts.map(|text| text.clone().into()), data });
    for parts in points {
        attribute_calls(Origin::Point, parts.attributes, calls);
        calls.push(Call::Point {
            metric: metric.name.clone().into(),
            times: parts.times,
            flags: parts.flags,
            value: parts.value,
            exemplars: parts.exemplars.iter().map(Sampled::expected).collect(),
        });
    }
}

fn number(point: &metrics::NumberDataPoint) -> Parts<'_> {
    Parts {
        attributes: &point.attributes,
        times: [point.start_time_unix_nano, point.time_unix_nano],
        flags: point.flags,
        value: match point.value {
            None => Measured::None,
            Some(number_data_point::Value::AsDouble(value)) => Measured::Double(value.to_bits()),
            Some(number_data_point::Value::AsInt(value)) => Measured::Int(value),
        },
        exemplars: &point.exemplars,
    }
}

fn histogram(point: &metrics::HistogramDataPoint) -> Parts<'_> {
    Parts {
        attributes: &point.attributes,
        times: [point.start_time_unix_nano, point.time_unix_nano],
        flags: point.flags,
        value: Measured::Histogram {
            count: point.count,
            sum: point.sum.map(f64::to_bits),
            counts: point.bucket_counts.clone(),
            bounds: point.explicit_bounds.iter().map(|bound| bound.to_bits()).collect(),
        },
        exemplars: &point.exemplars,
    }
}

fn exponential(point: &metrics::ExponentialHistogramDataPoint) -> Parts<'_> {
    let buckets = |buckets: &Option<Buckets>| {
        let Buckets { offset, bucket_counts } = buckets.clone().unwrap_or_default();
        (offset, bucket_counts)
    };
    Parts {
        attributes: &point.attributes,
        times: [point.start_time_unix_nano, point.time_unix_nano],
        flags: point.flags,
        value: Measured::Exponential {
            count: point.count,
            sum: point.sum.map(f64::to_bits),
            scale: point.scale,
            zeros: [point.zero_count, point.zero_threshold.to_bits()],
            positive: buckets(&point.positive),
            negative: buckets(&point.negative),
        },
        exemplars: &point.exemplars,
    }
}

fn summary(point: &metrics::SummaryDataPoint) -> Parts<'_> {
    let quantiles = point.quantile_values.iter();
    let quantiles = quantiles.map(|q| [q.quantile.to_bits(), q.value.to_bits()]).collect();
    Parts {
        attributes: &point.attributes,
        times: [point.start_time_unix_nano, point.time_unix_nano],
        flags: point.flags,
        value: Measured::Summary { count: point.count, sum: point.sum.to_bits(), quantiles },
        exemplars: &[],
    }
}
