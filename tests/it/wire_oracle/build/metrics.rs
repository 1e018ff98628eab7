//! Metrics requests: random ones, scattered ones, and one that has every field set.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, exponential_histogram_data_point::Buckets, metric::Data,
    number_data_point, summary_data_point::ValueAtQuantile,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{
    all_kinds, attributes, enumeration, full_resource, full_scope, id, resource, scope, text,
};

fn some_exemplars(double: &BoxedStrategy<f64>) -> BoxedStrategy<Vec<Exemplar>> {
    let value = prop_oneof![
        double.clone().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt),
    ];
    let one = (id(), id(), any::<u64>(), option::weighted(0.9, value), attributes(double));
    let one = one.prop_map(|fields| Exemplar {
        trace_id: fields.0,
        span_id: fields.1,
        time_unix_nano: fields.2,
        value: fields.3,
        filtered_attributes: fields.4,
    });
    vec(one, 0..3).boxed()
}

fn number(double: &BoxedStrategy<f64>) -> impl Strategy<Value = NumberDataPoint> + use<> {
    let value = prop_oneof![
        double.clone().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt),
    ];
    let numbers = (any::<[u64; 2]>(), any::<u32>(), option::weighted(0.9, value));
    (numbers, attributes(double), some_exemplars(double)).prop_map(
        |(numbers, attributes, exemplars)| NumberDataPoint {
            start_time_unix_nano: numbers.0[0],
            time_unix_nano: numbers.0[1],
            flags: numbers.1,
            value: numbers.2,
            attributes,
            exemplars,
        },
    )
}

fn histogram(double: &BoxedStrategy<f64>) -> impl Strategy<Value = HistogramDataPoint> + use<> {
    let doubles = [double.clone(), double.clone(), double.clone()].map(option::of);
    let numbers = (any::<[u64; 3]>(), any::<u32>(), doubles);
    let lists = (vec(any::<u64>(), 0..20), vec(double.clone(), 0..20));
    (numbers, lists, attributes(double), some_exemplars(double)).prop_map(
        |(numbers, lists, attributes, exemplars)| HistogramDataPoint {
            start_time_unix_nano: numbers.0[0],
            time_unix_nano: numbers.0[1],
            count: numbers.0[2],
            flags: numbers.1,
            sum: numbers.2[0],
            min: numbers.2[1],
            max: numbers.2[2],
            bucket_counts: lists.0,
            explicit_bounds: lists.1,
            attributes,
            exemplars,
        },
    )
}

fn exponential(
    double: &BoxedStrategy<f64>,
) -> impl Strategy<Value = ExponentialHistogramDataPoint> + use<> {
    let doubles = [double.clone(), double.clone(), double.clone()].map(option::of);
    let numbers = (any::<[u64; 4]>(), any::<u32>(), any::<i32>(), doubles, double.clone());
    let count = || prop_oneof![0..300_u64, any::<u64>()];
    let buckets = move || {
        let buckets = (any::<i32>(), vec(count(), 0..20));
        option::of(buckets.prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let lists = (buckets(), buckets(), attributes(double), some_exemplars(double));
    (numbers, lists).prop_map(|(numbers, lists)| ExponentialHistogramDataPoint {
        start_time_unix_nano: numbers.0[0],
        time_unix_nano: numbers.0[1],
        count: numbers.0[2],
        zero_count: numbers.0[3],
        flags: numbers.1,
        scale: numbers.2,
        sum: numbers.3[0],
        min: numbers.3[1],
        max: numbers.3[2],
        zero_threshold: numbers.4,
        positive: lists.0,
        negative: lists.1,
        attributes: lists.2,
        exemplars: lists.3,
    })
}

fn summary(double: &BoxedStrategy<f64>) -> impl Strategy<Value = SummaryDataPoint> + use<> {
    let quantile = (double.clone(), double.clone())
        .prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    let numbers = (any::<[u64; 3]>(), any::<u32>(), double.clone());
    (numbers, vec(quantile, 0..5), attributes(double)).prop_map(
        |(numbers, quantile_values, attributes)| SummaryDataPoint {
            start_time_unix_nano: numbers.0[0],
            time_unix_nano: numbers.0[1],
            count: numbers.0[2],
            flags: numbers.1,
            sum: numbers.2,
            quantile_values,
            attributes,
        },
    )
}

fn data(double: &BoxedStrategy<f64>) -> BoxedStrategy<Data> {
    let sum = (vec(number(double), 0..3), enumeration(), any::<bool>());
    prop_oneof![
        vec(number(double), 0..3).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        sum.prop_map(|(data_points, aggregation_temporality, is_monotonic)| {
            Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
        }),
        (vec(histogram(double), 0..3), enumeration()).prop_map(
            |(data_points, aggregation_temporality)| {
                Data::Histogram(Histogram { data_points, aggregation_temporality })
            }
        ),
        (vec(exponential(double), 0..3), enumeration()).prop_map(
            |(data_points, aggregation_temporality)| {
                let data = ExponentialHistogram { data_points, aggregation_temporality };
                Data::ExponentialHistogram(data)
            }
        ),
        vec(summary(double), 0..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ]
    .boxed()
}

/// A random metric.
pub fn metric(double: &BoxedStrategy<f64>) -> impl Strategy<Value = Metric> + use<> {
    let data = option::weighted(0.95, data(double));
    (text(), text(), text(), attributes(double), data).prop_map(|fields| Metric {
        name: fields.0,
        description: fields.1,
        unit: fields.2,
        metadata: fields.3,
        data: fields.4,
    })
}

/// A random request.
pub fn requests(double: BoxedStrategy<f64>) -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let scopes = (option::of(scope(&double)), vec(metric(&double), 0..3), text())
        .prop_map(|(scope, metrics, schema_url)| ScopeMetrics { scope, metrics, schema_url });
    let resources = (option::of(resource(&double)), vec(scopes, 0..3), text()).prop_map(
        |(resource, scope_metrics, schema_url)| ResourceMetrics {
            resource,
            scope_metrics,
            schema_url,
        },
    );
    vec(resources, 0..3)
        .prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}

fn exemplars() -> Vec<Exemplar> {
    let exemplar = |value| Exemplar {
        filtered_attributes: all_kinds(),
        time_unix_nano: 4,
        span_id: vec![7; 8],
        trace_id: vec![8; 16],
        value: Some(value),
    };
    vec![exemplar(exemplar::Value::AsDouble(0.3)), exemplar(exemplar::Value::AsInt(-3))]
}

fn number_point(value: number_data_point::Value) -> NumberDataPoint {
    NumberDataPoint {
        attributes: all_kinds(),
        start_time_unix_nano: 1,
        time_unix_nano: u64::MAX,
        exemplars: exemplars(),
        flags: 1,
        value: Some(value),
    }
}

fn exponential_point() -> ExponentialHistogramDataPoint {
    ExponentialHistogramDataPoint {
        attributes: all_kinds(),
        start_time_unix_nano: 1,
        time_unix_nano: 2,
        count: 3,
        sum: Some(4.5),
        scale: -5,
        zero_count: 6,
        positive: Some(Buckets { offset: -7, bucket_counts: vec![1, 300, u64::MAX] }),
        negative: Some(Buckets { offset: 8, bucket_counts: vec![] }),
        flags: 1,
        exemplars: exemplars(),
        min: Some(-1.5),
        max: Some(1e300),
        zero_threshold: 1e-9,
    }
}

fn histogram_point() -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: all_kinds(),
        start_time_unix_nano: 1,
        time_unix_nano: 2,
        count: 3,
        sum: None,
        bucket_counts: vec![1, 0, u64::MAX],
        explicit_bounds: vec![0.5, 1.0],
        exemplars: exemplars(),
        flags: 1,
        min: Some(0.0),
        max: Some(2.5),
    }
}

fn summary_point() -> SummaryDataPoint {
    let at = |quantile, value| ValueAtQuantile { quantile, value };
    SummaryDataPoint {
        attributes: all_kinds(),
        start_time_unix_nano: 1,
        time_unix_nano: 2,
        count: 3,
        sum: 4.5,
        quantile_values: vec![at(0.5, 1.0), at(0.99, f64::INFINITY), at(1.0, f64::NEG_INFINITY)],
        flags: 1,
    }
}

/// A metrics request with every field of every kind set: six points.
pub fn sample() -> ExportMetricsServiceRequest {
    use number_data_point::Value::{AsDouble, AsInt};
    let data = [
        Data::Gauge(Gauge {
            data_points: vec![number_point(AsDouble(0.1)), number_point(AsInt(-9))],
        }),
        Data::Sum(Sum {
            data_points: vec![number_point(AsInt(i64::MAX))],
            aggregation_temporality: 1,
            is_monotonic: true,
        }),
        Data::Histogram(Histogram {
            data_points: vec![histogram_point()],
            aggregation_temporality: 2,
        }),
        Data::ExponentialHistogram(ExponentialHistogram {
            data_points: vec![exponential_point()],
            aggregation_temporality: 1,
        }),
        Data::Summary(Summary { data_points: vec![summary_point()] }),
    ];
    let metric = |data| Metric {
        name: "m".into(),
        description: "d".into(),
        unit: "s".into(),
        metadata: all_kinds(),
        data: Some(data),
    };
    let scope_metrics = ScopeMetrics {
        scope: Some(full_scope()),
        metrics: data.into_iter().map(metric).collect(),
        schema_url: "url".into(),
    };
    let resource_metrics = ResourceMetrics {
        resource: Some(full_resource()),
        scope_metrics: vec![scope_metrics],
        schema_url: "url".into(),
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
}

/// The metrics of [`sample`], each in a request of its own with nothing around it.
pub fn one_by_one() -> Vec<ExportMetricsServiceRequest> {
    let resources = sample().resource_metrics.into_iter();
    let scopes = resources.flat_map(|resource| resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| scope.metrics);
    let alone = metrics.map(|metric| {
        let scope = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
        let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![resource] }
    });
    alone.collect()
}
