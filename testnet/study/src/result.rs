//! What an experiment gives: tables, plots, and how to repeat it. Plain data: the same numbers make the same bytes.

use serde::{Deserialize, Serialize};

use super::stats::Estimate;

/// One experiment of the study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Short name, as in `shoal-study --only ID`.
    pub id: String,
    /// A heading.
    pub title: String,
    /// What it asks, in a sentence or two.
    pub question: String,
    /// How it was done: which model or world, which simplifications; paragraphs.
    pub method: Vec<String>,
    /// Targets, and whether they were met.
    pub findings: Vec<Finding>,
    /// Numbers.
    pub tables: Vec<Table>,
    /// Pictures.
    pub plots: Vec<Plot>,
    /// The seed that everything in it was derived from.
    pub seed: u64,
}

/// A statement that the numbers support or refute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was to be shown.
    pub claim: String,
    /// The number that decides.
    pub measured: String,
    /// Whether it holds; `None` where nothing was demanded.
    pub holds: Option<bool>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Heads of the columns, units included, as in `pay, sat/TH`.
    pub columns: Vec<String>,
    /// Rows as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, shown with that many digits behind the point.
    Number {
        /// The number.
        #[serde(deserialize_with = "super::stats::unknown")]
        value: f64,
        /// Digits behind the point.
        digits: u8,
    },
    /// A mean with its confidence interval.
    Estimate {
        /// The estimate.
        estimate: Estimate,
        /// Digits behind the point.
        digits: u8,
    },
}

/// A plot of lines over one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// What it shows.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// Horizontal lines with a name, such as a target.
    pub marks: Vec<Mark>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Name and unit, as in `one-way latency, s`.
    pub label: String,
    /// Whether it is logarithmic.
    pub log: bool,
}

/// A line of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points, by ascending x.
    pub points: Vec<Point>,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Place on the vertical axis, with its confidence interval; one of no width shows none.
    pub y: Estimate,
}

/// A horizontal line with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Its height.
    pub y: f64,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number with so many digits behind the point.
    #[must_use]
    pub const fn number(value: f64, digits: u8) -> Self {
        Self::Number { value, digits }
    }

    /// A mean with its confidence interval, with so many digits behind the point.
    #[must_use]
    pub const fn estimate(estimate: Estimate, digits: u8) -> Self {
        Self::Estimate { estimate, digits }
    }
}

impl Point {
    /// A point with a confidence interval.
    #[must_use]
    pub const fn new(x: f64, y: Estimate) -> Self {
        Self { x, y }
    }

    /// A point that is known exactly.
    #[must_use]
    pub const fn exact(x: f64, y: f64) -> Self {
        Self { x, y: Estimate::exact(y) }
    }
}
