//! The table of `csv` as Parquet, with types: `threads` and `launch` are integers, `value` is a double. What was measured,
//! by what and where stands in the file's metadata.
//!
//! The writer is that of Apache's Rust implementation without Arrow, compression and the rest: a run is small.

use std::sync::Arc;

use anyhow::{Context, Result};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use record::store::Loaded;

use super::Series;
use super::csv::{COLUMNS, rows};

/// The type of a column.
fn physical(column: &str) -> &'static str {
    match column {
        "threads" | "launch" => "INT64",
        "value" => "DOUBLE",
        _ => "BYTE_ARRAY",
    }
}

/// The file.
pub(super) fn file(run: &Loaded, series: &[Series<'_>]) -> Result<Vec<u8>> {
    let fields = COLUMNS.map(|column| match physical(column) {
        "BYTE_ARRAY" => format!("REQUIRED BYTE_ARRAY {column} (STRING);"),
        other => format!("REQUIRED {other} {column};"),
    });
    let schema = parse_message_type(&format!("message synchroscope {{ {} }}", fields.join(" ")));
    let schema = Arc::new(schema.context("the schema of the table is not one of Parquet")?);
    let properties = WriterProperties::builder().set_key_value_metadata(Some(metadata(run))).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    let all: Vec<[String; 15]> = rows(series).collect();
    let mut group = writer.next_row_group()?;
    let mut index = 0;
    while let Some(mut column) = group.next_column()? {
        let texts = all.iter().map(|row| row[index].as_str());
        match physical(COLUMNS[index]) {
            "INT64" => {
                let values: Vec<i64> = texts.map(str::parse).collect::<std::result::Result<_, _>>()?;
                column.typed::<Int64Type>().write_batch(&values, None, None)?;
            }
            "DOUBLE" => {
                let values: Vec<f64> = texts.map(str::parse).collect::<std::result::Result<_, _>>()?;
                column.typed::<DoubleType>().write_batch(&values, None, None)?;
            }
            _ => {
                let values: Vec<ByteArray> = texts.map(ByteArray::from).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
        }
        column.close()?;
        index += 1;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

fn metadata(run: &Loaded) -> Vec<KeyValue> {
    let m = &run.manifest;
    let revision = m.tool.revision.clone().unwrap_or_else(|| "not known".into());
    [
        ("synchroscope.suite", m.suite.clone()),
        ("synchroscope.seed", m.seed.to_string()),
        ("synchroscope.version", m.tool.version.clone()),
        ("synchroscope.revision", revision),
        ("synchroscope.fingerprint", m.host.fingerprint.id()),
        ("synchroscope.command", m.command.join(" ")),
    ]
    .map(|(key, value)| KeyValue::new(key.to_owned(), value))
    .to_vec()
}
