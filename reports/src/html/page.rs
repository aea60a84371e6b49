//! The skeleton of the main page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use record::store::Loaded;

use super::{GENERATOR, Options};
use crate::terminal;

/// The whole page.
pub(super) fn page(runs: &[Loaded], options: &Options) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(GENERATOR))
                title { "synchroscope report" }
            }
            body {
                h1 { "Contention report" }
                p { code { (options.command.join(" ")) } }
                @for run in runs {
                    h2 { (run.path.display()) }
                    pre { (terminal::table(&run.records)) }
                }
            }
        }
    }
}
