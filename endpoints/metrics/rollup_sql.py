"""The two statements that make hours out of minutes and days out of hours. Pure text.

An aggregate leaves NULLs out by itself; where leaving one out would count an unknown as zero, a statement says so.
Hours and days are UTC whatever the session's time zone. Sums are made in double precision: a sum of `real`
is a `real`, and stops counting at 16 million.
"""

from __future__ import annotations

from endpoints.metrics import histogram

_BY_STATUS = ("status_4xx", "status_429", "status_5xx", "model_errors")
_MEDIANS = ("p50", "p95", "p99")
_WORST = ("p95_max", "p99_max")
_MEANS = ("cpu_avg", "memory_avg", "gpu_avg")
_MAXIMA = ("cpu_max", "memory_max", "gpu_max")
_CAPACITY = ("instance_minutes", "idle_instance_minutes")
MINUTE_COUNTS = ("minutes", "request_minutes", "idle_minutes", "capacity_minutes")
VALUES = (
    "requests", *_BY_STATUS, *_MEDIANS, *_WORST, "p95_histogram",
    "cpu_avg", "cpu_max", "memory_avg", "memory_max", "gpu_avg", "gpu_max", *_CAPACITY,
)  # fmt: skip
EDGES = "ARRAY[" + ", ".join(repr(edge) for edge in histogram.EDGES) + "]::float8[]"

# A minute without requests failed none, whether Azure says so or not; one with requests and no word is unknown.
_STATUS_OF_MINUTES = """CASE WHEN bool_or({name} IS NULL AND requests > 0) THEN NULL
        WHEN count(requests) > 0 THEN coalesce(sum({name}::float8), 0) ELSE sum({name}::float8) END AS {name}"""
# What is smaller than any `real` can't be stored, and would keep its whole batch from being made.
_MEAN = "CASE WHEN {mean} < 1e-30 THEN 0 ELSE {mean} END AS {name}"
_HOUR_VALUES = ",\n    ".join((
    "count(*) AS minutes",
    "count(requests) AS request_minutes",
    "count(*) FILTER (WHERE requests = 0) AS idle_minutes",
    "count(instances) AS capacity_minutes",
    "sum(requests::float8) AS requests",
    *(_STATUS_OF_MINUTES.format(name=name) for name in _BY_STATUS),
    *(f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {name}) AS {name}" for name in _MEDIANS),
    *(f"max({name.removesuffix('_max')}) AS {name}" for name in _WORST),
    *(_MEAN.format(mean=f"avg({name})", name=name) for name in _MEANS),
    *(f"max({name}) AS {name}" for name in _MAXIMA),
    "sum(instances::float8) AS instance_minutes",
    # Idle is what had known replicas and known to have no request; unknown requests make nothing idle.
    "CASE WHEN count(*) FILTER (WHERE requests IS NOT NULL AND instances IS NOT NULL) > 0"
    " THEN coalesce(sum(instances::float8) FILTER (WHERE requests = 0), 0) END AS idle_instance_minutes",
))  # fmt: skip


def hours(source: str) -> str:
    """Upsert the hours of `source`, a query for deployment_id, hour and all columns of minutes, each minute once.

    Returns deployment and UTC day of each hour that is new or changed.
    """
    return f"""
WITH source AS MATERIALIZED ({source}),
measured AS (SELECT deployment_id, hour, {_HOUR_VALUES} FROM source GROUP BY deployment_id, hour),
buckets AS (
    SELECT deployment_id, hour, width_bucket(p95::float8, {EDGES}) AS bucket, count(*) AS n
    FROM source WHERE p95 IS NOT NULL GROUP BY deployment_id, hour, bucket),
histograms AS (
    SELECT deployment_id, hour, {_packed()} AS p95_histogram FROM buckets GROUP BY deployment_id, hour)
INSERT INTO metrics_hour AS t (deployment_id, hour, {_COLUMNS})
SELECT deployment_id, hour, {_COLUMNS} FROM measured LEFT JOIN histograms USING (deployment_id, hour)
ORDER BY deployment_id, hour
ON CONFLICT (deployment_id, hour) DO UPDATE {_REPLACE}
RETURNING deployment_id, (hour AT TIME ZONE 'UTC')::date AS day
"""  # noqa: S608 - names of columns


def days(due: str) -> str:
    """Upsert the days that `due`, a query for deployment_id and day, names, from all their hours.

    A day's medians are those of its median hour, each hour counted as often as it has minutes with a latency: at
    least a quarter of the minutes are not longer, and at least a quarter not shorter. p95 is known better, from the
    histogram, and moved into the bucket that holds the median minute.
    """
    return f"""
WITH due AS MATERIALIZED ({due}),
source AS MATERIALIZED (
    SELECT due.day, h.*, (octet_length(h.p95_histogram) / 2) AS buckets,
        coalesce((SELECT sum(get_byte(h.p95_histogram, 2 * i + 1))
                  FROM generate_series(0, octet_length(h.p95_histogram) / 2 - 1) AS i), h.minutes) AS weight
    FROM due JOIN metrics_hour h ON h.deployment_id = due.deployment_id
        AND h.hour >= due.day::timestamp AT TIME ZONE 'UTC'
        AND h.hour < (due.day + 1)::timestamp AT TIME ZONE 'UTC'),
buckets AS (
    SELECT deployment_id, day, get_byte(p95_histogram, 2 * i) AS bucket,
        sum(get_byte(p95_histogram, 2 * i + 1)) AS n
    FROM source, generate_series(0, source.buckets - 1) AS i GROUP BY deployment_id, day, bucket),
summed AS (
    SELECT *, 2 * sum(n) OVER w >= sum(n) OVER (PARTITION BY deployment_id, day) AS reached
    FROM buckets WINDOW w AS (PARTITION BY deployment_id, day ORDER BY bucket)),
histograms AS (
    SELECT deployment_id, day, {_packed()} AS p95_histogram, min(bucket) FILTER (WHERE reached) AS median
    FROM summed GROUP BY deployment_id, day),
ranked AS (SELECT *, {_REACHED} FROM source WINDOW day AS (PARTITION BY deployment_id, day)),
measured AS (SELECT deployment_id, day, {_DAY_VALUES} FROM ranked GROUP BY deployment_id, day)
INSERT INTO metrics_day AS t (deployment_id, day, {_COLUMNS})
SELECT deployment_id, day, {_COLUMNS.replace("p95,", _CORRECTED_P95, 1)}
FROM measured LEFT JOIN histograms USING (deployment_id, day)
ORDER BY deployment_id, day
ON CONFLICT (deployment_id, day) DO UPDATE {_REPLACE}
RETURNING deployment_id, day
"""  # noqa: S608


def _packed() -> str:
    """`histogram.pack`, of at most 14 bits a count."""
    return """decode(string_agg(lpad(to_hex(bucket), 2, '0') || CASE
        WHEN n < 128 THEN lpad(to_hex(n), 2, '0')
        ELSE to_hex(128 + mod(n, 128)) || lpad(to_hex(n / 128), 2, '0') END, '' ORDER BY bucket), 'hex')"""


_COLUMNS = ", ".join((*MINUTE_COUNTS, *VALUES))
_NEW_COUNTS = ", ".join(f"EXCLUDED.{name}" for name in MINUTE_COUNTS)
_NEW = ", ".join(f"COALESCE(EXCLUDED.{name}, t.{name})" for name in VALUES)
_OLD = ", ".join(f"t.{name}" for name in (*MINUTE_COUNTS, *VALUES))
# What was made from more minutes stays: when the others are gone, it can't be made from them again.
_REPLACE = f"""SET ({_COLUMNS}) = ROW ({_NEW_COUNTS}, {_NEW})
    WHERE EXCLUDED.minutes >= t.minutes AND EXCLUDED.request_minutes >= t.request_minutes
    AND EXCLUDED.capacity_minutes >= t.capacity_minutes
    AND ({_OLD}) IS DISTINCT FROM ({_NEW_COUNTS}, {_NEW})"""
_STATUS_OF_HOURS = """CASE WHEN bool_and({name} IS NOT NULL OR coalesce(requests, 0) = 0)
        THEN sum({name}::float8) END AS {name}"""
# An hour's rank among the hours that have such a value, in minutes: the first to reach half of them is the median.
_REACHED = ",\n    ".join(
    f"2 * sum(weight) FILTER (WHERE {name} IS NOT NULL) OVER (day ORDER BY {name}, hour)"
    f" >= sum(weight) FILTER (WHERE {name} IS NOT NULL) OVER day AS {name}_reached"
    for name in _MEDIANS
)
_MEAN_OF_HOURS = "(sum({name}::float8 * minutes) / sum(minutes) FILTER (WHERE {name} IS NOT NULL))"
_DAY_VALUES = ",\n    ".join((
    *(f"sum({name}) AS {name}" for name in MINUTE_COUNTS),
    "sum(requests::float8) AS requests",
    *(_STATUS_OF_HOURS.format(name=name) for name in _BY_STATUS),
    *(f"min({name}) FILTER (WHERE {name}_reached) AS {name}" for name in _MEDIANS),
    *(f"max({name}) AS {name}" for name in (*_WORST, *_MAXIMA)),
    *(_MEAN.format(mean=_MEAN_OF_HOURS.format(name=name), name=name) for name in _MEANS),
    *(f"sum({name}::float8) AS {name}" for name in _CAPACITY),
))  # fmt: skip
_CORRECTED_P95 = f"greatest(least(p95, ({EDGES})[median + 1]), ({EDGES})[median]),"
