//! Series of a paper as CSV: reading them, and those that the binary carries.

use impls::text::diagnose::{Error, Result, nearest, unknown};
use impls::text::reader::{Source, cells};

/// The columns of a file, in this order.
const COLUMNS: [&str; 4] = ["platform", "series", "threads", "mops"];

/// The longest name of a series or a platform, characters.
const NAME_MAX: usize = 40;

/// Millions of operations per second that a machine may do.
const MOPS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// The files that the binary carries: the digitised curves of the Opteron.
pub fn embedded() -> [Source; 2] {
    [
        Source::new("sosp13_opteron_atomics.csv", include_str!("curves/sosp13_opteron_atomics.csv")),
        Source::new("sosp13_opteron_one_lock.csv", include_str!("curves/sosp13_opteron_one_lock.csv")),
    ]
}

/// An experiment of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bench {
    /// All threads operate on one word: figure 4.
    Atomics,
    /// All threads take one lock: figure 5.
    OneLock,
}

impl Bench {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Atomics, Self::OneLock];

    /// The name that commands and files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Atomics => "atomics",
            Self::OneLock => "one-lock",
        }
    }

    /// The series of the figure, by the paper's names; also those that this project does not have.
    pub const fn series(self) -> &'static [&'static str] {
        match self {
            Self::Atomics => &["FAI", "CAS", "SWAP", "TAS", "CASFAI"],
            Self::OneLock => {
                &["TAS", "TTAS", "TICKET", "NAIVE_TICKET", "ARRAY", "MCS", "CLH", "HTICKET", "HCLH", "MUTEX"]
            }
        }
    }

    fn has(self, series: &str) -> bool {
        self.series().contains(&series)
    }
}

/// The curves of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// The file.
    pub file: String,
    /// In the order in which they begin.
    pub curves: Vec<Curve>,
}

/// One series on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The machine, by the paper's name.
    pub platform: String,
    /// The series, by the paper's name.
    pub series: String,
    /// In the order of threads.
    pub points: Vec<Published>,
}

/// A published point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// Number of threads.
    pub threads: usize,
    /// Millions of operations per second.
    pub mops: f64,
    /// The line that states it, from 1.
    pub line: usize,
}

impl Curve {
    /// The line in which it begins.
    pub fn line(&self) -> usize {
        self.points.iter().map(|point| point.line).min().unwrap_or(0)
    }
}

/// Reads a file.
///
/// # Errors
/// Names file, line and column, and says what would be right.
pub fn read(source: &Source) -> Result<Curves> {
    let file = &source.name;
    let mut lines = source.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut rows = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let Some((line, head)) = rows.next() else {
        return Err(Error::about(file, format_args!("empty; expected the columns {}", COLUMNS.join(","))));
    };
    header(file, line, head)?;
    let mut curves: Vec<Curve> = Vec::new();
    for (line, row) in rows {
        let (platform, series, point) = point(file, line, row)?;
        let same = |curve: &&mut Curve| curve.platform == platform && curve.series == series;
        let Some(curve) = curves.iter_mut().find(same) else {
            curves.push(Curve { platform: platform.into(), series: series.into(), points: vec![point] });
            continue;
        };
        if let Some(twice) = curve.points.iter().find(|known| known.threads == point.threads) {
            let message = format!(
                "{platform} {series} has {} threads in line {} already; expected each point once (curves of two \
                 figures go into two files)",
                point.threads, twice.line
            );
            return Err(Error::at(file, line, "threads", message));
        }
        curve.points.push(point);
    }
    if curves.is_empty() {
        return Err(Error::at(file, line, "", "no point follows the columns"));
    }
    for curve in &mut curves {
        curve.points.sort_by_key(|point| point.threads);
    }
    Ok(Curves { file: file.clone(), curves })
}

fn header(file: &str, line: usize, head: &str) -> Result<()> {
    let names: Vec<&str> = cells(head).collect();
    for (index, expected) in COLUMNS.iter().enumerate() {
        let found = names.get(index).copied().unwrap_or_default();
        if found != *expected {
            let near = nearest(found, COLUMNS).filter(|near| near != expected);
            let near = near.map_or_else(String::new, |near| format!("; `{near}` is another column"));
            let message = format!(
                "the column is called `{found}`; expected `{expected}`, of the columns {}{near}",
                COLUMNS.join(",")
            );
            return Err(Error::at(file, line, &format!("column {}", index + 1), message));
        }
    }
    match names.get(COLUMNS.len()) {
        Some(more) => {
            let message = format!("unknown column `{more}`; expected {} alone", COLUMNS.join(","));
            Err(Error::at(file, line, &format!("column {}", COLUMNS.len() + 1), message))
        }
        None => Ok(()),
    }
}

fn point<'t>(file: &str, line: usize, row: &'t str) -> Result<(&'t str, &'t str, Published)> {
    let fail = |key: &str, message: String| Err(Error::at(file, line, key, message));
    let found: Vec<&str> = cells(row).collect();
    let [platform, series, threads, mops] = found[..] else {
        return fail("", format!("{} cells; expected 4: {}", found.len(), COLUMNS.join(",")));
    };
    for (key, text) in [("platform", platform), ("series", series)] {
        if text.is_empty() || text.chars().count() > NAME_MAX || text.contains(char::is_control) {
            return fail(key, format!("`{text}`; expected a name of 1 to {NAME_MAX} letters"));
        }
    }
    let Some(threads) = threads.parse::<usize>().ok().filter(|threads| *threads > 0) else {
        return fail("threads", format!("`{threads}`; expected a whole number from 1"));
    };
    let possible = |mops: &f64| *mops == 0.0 || MOPS.contains(mops);
    let Some(mops) = mops.parse::<f64>().ok().filter(possible) else {
        let message = format!(
            "`{mops}`; expected millions of operations per second, as 2.42: 0, or {} to {}",
            MOPS.start(),
            MOPS.end()
        );
        return fail("mops", message);
    };
    Ok((platform, series, Published { threads, mops, line }))
}

/// Which experiment each curve of a file is, in their order, or why it is skipped.
///
/// A name that only one figure has decides; TAS, which both have, goes with the others of its file.
///
/// # Errors
/// If nothing in the file decides what its TAS is.
pub fn benches(curves: &Curves, asked: Option<Bench>) -> Result<Vec<std::result::Result<Bench, String>>> {
    let fits = |curve: &Curve| -> Vec<Bench> {
        Bench::ALL.into_iter().filter(|bench| bench.has(&curve.series)).collect()
    };
    let mut others: Vec<Bench> = curves
        .curves
        .iter()
        .filter_map(|curve| match fits(curve)[..] {
            [only] => Some(only),
            _ => None,
        })
        .collect();
    others.sort_unstable();
    others.dedup();
    let decide = |curve: &Curve| {
        let fits = fits(curve);
        match (fits.as_slice(), asked) {
            ([], _) => {
                let known = Bench::ALL.iter().flat_map(|bench| bench.series()).copied();
                Ok(Err(unknown("series", &curve.series, known)))
            }
            (some, Some(asked)) if some.contains(&asked) => Ok(Ok(asked)),
            ([other, ..], Some(asked)) => {
                Ok(Err(format!("a series of `{}`, and --bench {} was asked for", other.name(), asked.name())))
            }
            ([only], None) => Ok(Ok(*only)),
            (_, None) => match others[..] {
                [of_file] => Ok(Ok(of_file)),
                _ => {
                    let message = format!(
                        "both experiments have a series {}, and the other series of the file do not say which is \
                         meant; expected --bench atomics or --bench one-lock",
                        curve.series
                    );
                    Err(Error::at(&curves.file, curve.line(), "series", message))
                }
            },
        }
    };
    curves.curves.iter().map(decide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(rows: &str) -> Result<Curves> {
        read(&Source::new("my.csv", format!("platform,series,threads,mops\n{rows}")))
    }

    #[test]
    fn the_carried_files_are_read() {
        let [atomics, one_lock] = embedded().map(|source| read(&source).unwrap());
        let names = |curves: &Curves| -> Vec<String> {
            curves.curves.iter().map(|curve| curve.series.clone()).collect()
        };
        assert_eq!(names(&atomics), ["CAS", "CASFAI", "FAI", "SWAP", "TAS"]);
        assert_eq!(
            names(&one_lock),
            ["ARRAY", "CLH", "HCLH", "HTICKET", "MCS", "MUTEX", "TAS", "TICKET", "TTAS"]
        );
        let all = |curves: &Curves, bench| benches(curves, None).unwrap().into_iter().all(|b| b == Ok(bench));
        assert!(all(&atomics, Bench::Atomics) && all(&one_lock, Bench::OneLock));
    }

    #[test]
    fn mistakes_name_line_and_column() {
        let cases = [
            ("Opteron,MCS,2", "my.csv:2: 3 cells; expected 4"),
            ("Opteron,MCS,2,1,1", "my.csv:2: 5 cells; expected 4"),
            ("Opteron,MCS,,1", "my.csv:2: threads: ``; expected a whole number"),
            ("Opteron,,2,1", "my.csv:2: series: ``; expected a name"),
            (",MCS,2,1", "my.csv:2: platform: ``; expected a name"),
            ("Opteron,MCS,0,1", "my.csv:2: threads: `0`; expected a whole number from 1"),
            ("Opteron,MCS,-2,1", "my.csv:2: threads: `-2`"),
            ("Opteron,MCS,2.5,1", "my.csv:2: threads: `2.5`"),
            ("Opteron,MCS,2,", "my.csv:2: mops: ``; expected millions"),
            ("Opteron,MCS,2,fast", "my.csv:2: mops: `fast`"),
            ("Opteron,MCS,2,-1", "my.csv:2: mops: `-1`"),
            ("Opteron,MCS,2,nan", "my.csv:2: mops: `nan`"),
            (
                "Opteron,MCS,2,1e300",
                "my.csv:2: mops: `1e300`; expected millions of operations per second, as 2.42: 0, or 0.000001",
            ),
            ("Opteron,MCS,2,1\n\nOpteron,MCS,2,1", "my.csv:4: threads: Opteron MCS has 2 threads in line 2"),
            ("", "my.csv:1: no point"),
        ];
        for (rows, expected) in cases {
            let error = curves(rows).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{rows:?}: {error}");
        }
        let headed = |text: &str| read(&Source::new("my.csv", text)).unwrap_err().to_string();
        assert!(headed("").contains("empty; expected the columns platform,series,threads,mops"));
        assert!(
            headed("platform,threads,series,mops\n").contains("column 2: the column is called `threads`")
        );
        assert!(headed("platform,series,threads\n").contains("expected `mops`"));
        assert!(headed("platform,series,threads,mops,error\n").contains("unknown column `error`"));
    }

    #[test]
    fn other_line_ends_and_orders_are_fine() {
        let text = "\u{feff}platform, \"series\", threads, mops\r\n# a comment\r\nOpteron, \"MCS\", \"6\", 2.4\r\nOpteron,MCS,2,2\r\n";
        let read = read(&Source::new("my.csv", text)).unwrap();
        let points: Vec<(usize, f64)> = read.curves[0].points.iter().map(|p| (p.threads, p.mops)).collect();
        assert_eq!(points, [(2, 2.0), (6, 2.4)]);
    }

    #[test]
    fn names_decide_the_experiment() {
        let decided = |rows: &str, asked| benches(&curves(rows).unwrap(), asked);
        assert_eq!(decided("Xeon,TAS,2,1\nXeon,MCS,2,1", None).unwrap(), vec![Ok(Bench::OneLock); 2]);
        assert_eq!(decided("Xeon,TAS,2,1\nXeon,FAI,2,1", None).unwrap(), vec![Ok(Bench::Atomics); 2]);
        for rows in ["Xeon,TAS,2,1", "Xeon,TAS,2,1\nXeon,FAI,2,1\nXeon,MCS,2,1"] {
            assert!(decided(rows, None).unwrap_err().to_string().contains("--bench"), "{rows}");
        }
        let asked = decided("Xeon,TAS,2,1\nXeon,FAI,2,1\nXeon,TIKET,2,1", Some(Bench::OneLock)).unwrap();
        assert_eq!(asked[0], Ok(Bench::OneLock));
        assert!(asked[1].as_ref().unwrap_err().contains("`atomics`"));
        assert!(asked[2].as_ref().unwrap_err().contains("`TICKET`"));
    }
}
