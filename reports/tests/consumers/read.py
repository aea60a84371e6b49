"""Reads an export as its consumers do, and prints what they see as JSON: read.py FORMAT FILE."""

import json
import sys


def frame(table):
    """What a data frame holds, whichever way it was read."""
    numbers = table[(table.metric == "throughput") & (table.status == "ok")]
    return {
        "rows": len(table),
        "columns": list(table.columns),
        "integers": [name for name in table.columns if table[name].dtype.kind == "i"],
        "doubles": [name for name in table.columns if table[name].dtype.kind == "f"],
        "medians": {cell: float(value) for cell, value in numbers.groupby("cell").value.median().items()},
        "tiers": sorted(set(table.tier)),
    }


def csv(path):
    import pandas

    return frame(pandas.read_csv(path, keep_default_na=False))


def parquet(path):
    import pandas
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    seen = frame(pandas.read_parquet(path))
    seen["arrow"] = {field.name: str(field.type) for field in table.schema}
    metadata = table.schema.metadata or {}
    seen["metadata"] = {key.decode(): value.decode() for key, value in metadata.items()}
    return seen


def openmetrics(path):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(open(path, encoding="utf-8").read()))
    return {
        "families": {family.name: [family.type, family.unit, len(family.samples)] for family in families},
        "throughput": sorted(
            sample.value for family in families for sample in family.samples if "throughput" in family.name
        ),
    }


def hdr(path):
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogReader

    reader = HistogramLogReader(path, HdrHistogram(1, 3_600_000_000_000, 3))
    counts, longest = {}, {}
    while (histogram := reader.get_next_interval_histogram()) is not None:
        tag = histogram.get_tag()
        counts[tag] = counts.get(tag, 0) + histogram.get_total_count()
        longest[tag] = max(longest.get(tag, 0), histogram.get_max_value())
    reader.close()
    return {"counts": counts, "longest": longest}


print(json.dumps({"csv": csv, "parquet": parquet, "openmetrics": openmetrics, "hdr": hdr}[sys.argv[1]](sys.argv[2])))
