//! Which cores are how far apart: the `[distance]` table of a preset.
//!
//! One of four forms: nested `levels`, clusters with a table `between` them, a `mesh`, or a measured `matrix`.

use super::matrix::{Folded, Grid, Picoseconds, Quantised};
use super::{Class, Error, MOST_CLASSES};
use crate::text::reader::{Item, Source, Table};

/// Reads a file that a preset names, relative to the preset.
pub(super) type ReadFile<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// Classes, and the class of each pair of cores.
pub(super) struct Distances {
    pub(super) classes: Vec<Class>,
    /// `cores * cores` entries; the diagonal holds 0.
    pub(super) distance: Vec<u8>,
    /// One-way transfer of a line for each class, where the preset gives times instead of costs.
    pub(super) transfer: Option<Vec<Picoseconds>>,
    /// Class of each core to each node, where the preset says more than distances between cores do.
    pub(super) to_nodes: Option<Vec<u8>>,
}

const KEYS: [&str; 8] =
    ["levels", "cluster", "between", "mesh", "matrix", "classes", "transfer_ns", "to_nodes"];

/// Reads `[distance]`.
pub(super) fn read(
    source: &Source,
    item: &Item<'_>,
    node_of_core: &[u16],
    files: ReadFile<'_>,
) -> Result<Distances, Error> {
    let cores = node_of_core.len();
    let table = item.table(&KEYS)?;
    let forms = ["levels", "between", "mesh", "matrix"];
    let given: Vec<&str> = forms.into_iter().filter(|form| table.get(form).is_some()).collect();
    let [form] = given[..] else {
        let found = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
        let message = format!("expected one of levels, between, mesh, matrix, found {found}");
        return Err(item.wrong(message));
    };
    // A key of another form would be ignored: say so.
    let extra: &[&str] = match form {
        "levels" => &["classes", "transfer_ns", "to_nodes"],
        "between" => &["cluster", "classes", "transfer_ns", "to_nodes"],
        "mesh" => &["transfer_ns", "to_nodes"],
        _ => &["cluster"],
    };
    for key in ["cluster", "classes", "transfer_ns", "to_nodes"] {
        if let Some(value) = table.get(key).filter(|_| !extra.contains(&key)) {
            return Err(value.wrong(format_args!("does not go with `{form}`: remove it")));
        }
    }
    let (classes, distance) = match form {
        "matrix" => return matrix(source, &table, cores, files),
        "levels" => levels(&table, cores)?,
        "between" => between(&table, cores)?,
        _ => mesh(&table, cores)?,
    };
    let transfer = table.get("transfer_ns").map(|item| transfer(&item, classes.len())).transpose()?;
    if let (Some(item), Some(times)) = (table.get("transfer_ns"), &transfer)
        && !times.is_sorted()
    {
        return Err(item.wrong("expected near classes first: a farther one has a shorter time"));
    }
    let nodes = usize::from(node_of_core.iter().max().copied().unwrap_or(0)) + 1;
    let to_nodes =
        table.get("to_nodes").map(|item| to_nodes(&item, cores, nodes, classes.len())).transpose()?;
    Ok(Distances { classes, distance, transfer, to_nodes })
}

fn to_nodes(item: &Item<'_>, cores: usize, nodes: usize, classes: usize) -> Result<Vec<u8>, Error> {
    let rows = item.items();
    if rows.len() != cores || !item.is_list() {
        return Err(
            item.wrong(format_args!("expected {cores} rows, one for each core, found {}", rows.len()))
        );
    }
    let mut cells = Vec::with_capacity(cores * nodes);
    for row in rows {
        let columns = row.items();
        if columns.len() != nodes || !row.is_list() {
            return Err(row.wrong(format_args!("expected a row of {nodes} classes, one for each node")));
        }
        for cell in columns {
            cells.push(cell.integer("a class", 0..classes as u64)? as u8);
        }
    }
    Ok(cells)
}

/// A size of clusters that fill the machine.
pub(super) fn divisor(item: &Item<'_>, cores: usize) -> Result<usize, Error> {
    let size = item.integer("a number of cores", 1..cores as u64 + 1)? as usize;
    if cores.is_multiple_of(size) {
        Ok(size)
    } else {
        Err(item.wrong(format_args!("expected a divisor of {cores}, the number of cores")))
    }
}

/// The class of each pair of different cores.
fn pairs(cores: usize, class: impl Fn(usize, usize) -> u8) -> Vec<u8> {
    let index = (0..cores).flat_map(|a| (0..cores).map(move |b| (a, b)));
    index.map(|(a, b)| if a == b { 0 } else { class(a, b) }).collect()
}

fn names(table: &Table<'_>) -> Result<Vec<Class>, Error> {
    let item = table.need("classes", "a list of names, near ones first")?;
    let names = item.each("a name", |item| match item.str("a name")?.trim() {
        "" => Err(item.wrong("expected a name, found an empty text")),
        name => Ok(name.to_owned()),
    })?;
    if names.len() > MOST_CLASSES {
        return Err(item.wrong(format_args!("expected at most {MOST_CLASSES} names, found {}", names.len())));
    }
    Ok(names.into_iter().map(|name| Class { name }).collect())
}

fn transfer(item: &Item<'_>, classes: usize) -> Result<Vec<Picoseconds>, Error> {
    let expected = "a time in ns, more than 0 and at most 1000000";
    let read = |item: &Item<'_>| item.number(expected, |ns| (0.001..=1e6).contains(&ns));
    let times: Vec<f64> = item.items().iter().map(read).collect::<Result<_, _>>()?;
    if times.len() != classes {
        let message = format!("expected {classes} times, one for each class, found {}", times.len());
        return Err(item.wrong(message));
    }
    Ok(times.iter().map(|ns| (ns * 1000.0).round() as Picoseconds).collect())
}

fn levels(table: &Table<'_>, cores: usize) -> Result<(Vec<Class>, Vec<u8>), Error> {
    let item = table.need("levels", "a list of sizes")?;
    let read = |item: &Item<'_>| Ok(item.integer("a size", 1..u64::from(super::MOST_CORES) + 1)? as usize);
    let sizes: Vec<usize> = item.items().iter().map(read).collect::<Result<_, Error>>()?;
    let product = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if product != Some(cores) {
        return Err(item.wrong(format_args!("expected sizes whose product is {cores}, the number of cores")));
    }
    let classes = names(table)?;
    if classes.len() != sizes.len() {
        let message = format!("expected {} names, one for each level, found {}", sizes.len(), classes.len());
        return Err(table.wrong("classes", message));
    }
    let class = |a: usize, b: usize| {
        let mut within = 1;
        let level = sizes.iter().position(|size| {
            within *= size;
            a / within == b / within
        });
        level.unwrap_or(0) as u8
    };
    Ok((classes, pairs(cores, class)))
}

fn between(table: &Table<'_>, cores: usize) -> Result<(Vec<Class>, Vec<u8>), Error> {
    let cluster = table.need("cluster", "the number of cores in a cluster")?;
    let of = divisor(&cluster, cores)?;
    let classes = names(table)?;
    let item = table.need("between", "a list of rows, one for each cluster")?;
    let size = cores / of;
    let rows = item.items();
    if rows.len() != size || !item.is_list() {
        return Err(item.wrong(format_args!("expected {size} rows, one for each cluster")));
    }
    let mut cells: Vec<u8> = Vec::with_capacity(size * size);
    for row in &rows {
        let columns = row.items();
        if columns.len() != size || !row.is_list() {
            return Err(row.wrong(format_args!("expected a row of {size} classes, one for each cluster")));
        }
        for cell in &columns {
            cells.push(cell.integer("a class", 0..classes.len() as u64)? as u8);
        }
    }
    for (row, column) in (0..size).flat_map(|row| (0..row).map(move |column| (row, column))) {
        let (there, back) = (cells[row * size + column], cells[column * size + row]);
        if there != back {
            return Err(rows[row].wrong(format_args!(
                "asymmetric: {there} in row {}, column {}, but {back} in row {}, column {}",
                row + 1,
                column + 1,
                column + 1,
                row + 1
            )));
        }
    }
    Ok((classes, pairs(cores, |a, b| cells[a / of * size + b / of])))
}

fn mesh(table: &Table<'_>, cores: usize) -> Result<(Vec<Class>, Vec<u8>), Error> {
    let item = table.need("mesh", "columns and rows")?;
    let read = |item: &Item<'_>| Ok(item.integer("a number of cores", 1..257)? as usize);
    let sides: Vec<usize> = item.items().iter().map(read).collect::<Result<_, Error>>()?;
    let [columns, rows] = sides[..] else {
        return Err(item.expected("two numbers, columns and rows"));
    };
    if columns * rows != cores {
        let message = format!("expected columns x rows to be {cores}, the number of cores");
        return Err(item.wrong(message));
    }
    // A lone core has a class too, for its memory.
    let most = (columns + rows - 2).max(1);
    if most > MOST_CLASSES {
        return Err(item.wrong(format_args!("expected at most {MOST_CLASSES} hops from corner to corner")));
    }
    let name = |hops| Class { name: if hops == 1 { "1 hop".into() } else { format!("{hops} hops") } };
    let hops = |a: usize, b: usize| (a % columns).abs_diff(b % columns) + (a / columns).abs_diff(b / columns);
    Ok(((1..=most).map(name).collect(), pairs(cores, |a, b| (hops(a, b) - 1) as u8)))
}

fn matrix(source: &Source, table: &Table<'_>, cores: usize, files: ReadFile<'_>) -> Result<Distances, Error> {
    let of = match table.get("cluster") {
        None => 1,
        Some(item) => divisor(&item, cores)?,
    };
    let item = table.need("matrix", "the name of a CSV file, or a list of rows")?;
    let grid = if item.is_list() {
        Grid::list(&source.name, &item)?
    } else {
        let name = item.str("the name of a CSV file, or a list of rows")?;
        let text = files(name).map_err(|error| item.wrong(format_args!("cannot read `{name}`: {error}")))?;
        Grid::csv(&beside(&source.name, name), &text)?
    };
    let size = cores / of;
    if cores == 1 {
        return Err(item.wrong("expected at least 2 cores: give a lone core its distances by `levels`"));
    }
    let folded: Folded = grid.fold(size, of > 1)?;
    let Some(Quantised { transfer, class }) = folded.quantise() else {
        let message = format!("the times span too wide a range for {MOST_CLASSES} classes of 4 %");
        return Err(item.wrong(message));
    };
    // Tenths read well; where two classes would have one name, all of them show what tells them apart.
    let short = |time: Picoseconds| format!("{}.{} ns", time / 1000, time % 1000 / 100);
    let is_clear = transfer.windows(2).all(|pair| short(pair[0]) != short(pair[1]));
    let long = |time: Picoseconds| format!("{}.{:03} ns", time / 1000, time % 1000);
    let name = |time: &Picoseconds| Class { name: if is_clear { short(*time) } else { long(*time) } };
    Ok(Distances {
        classes: transfer.iter().map(name).collect(),
        distance: pairs(cores, |a, b| class[a / of * folded.size + b / of]),
        transfer: Some(transfer),
        to_nodes: None,
    })
}

/// The name of a file that `preset` names relative to itself.
fn beside(preset: &str, name: &str) -> String {
    std::path::Path::new(preset).with_file_name(name).display().to_string()
}
