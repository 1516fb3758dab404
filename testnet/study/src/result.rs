//! The output of an experiment: tables, plots, and the command to repeat it. It is plain data. The same numbers give
//! the same bytes.

use serde::{Deserialize, Serialize};

use super::stats::Estimate;

/// One experiment of the study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Short name, as in `shoal-study --only ID`.
    pub id: String,
    /// A heading.
    pub title: String,
    /// The question, in a sentence or two.
    pub question: String,
    /// The method in paragraphs: the model or world, and its simplifications.
    pub method: Vec<String>,
    /// Targets, and whether they were met.
    pub findings: Vec<Finding>,
    /// Numbers.
    pub tables: Vec<Table>,
    /// Pictures.
    pub plots: Vec<Plot>,
    /// The seed of all its randomness.
    pub seed: u64,
}

/// A statement that the numbers support or refute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The statement.
    pub claim: String,
    /// The decisive number.
    pub measured: String,
    /// Whether it holds. `None` if there is no target.
    pub holds: Option<bool>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The caption.
    pub caption: String,
    /// Column heads with units, as in `pay, sat/TH`.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number with a fixed number of decimal places.
    Number {
        /// The value.
        #[serde(deserialize_with = "super::stats::unknown")]
        value: f64,
        /// Decimal places.
        digits: u8,
    },
    /// A mean with its confidence interval.
    Estimate {
        /// The estimate.
        estimate: Estimate,
        /// Decimal places.
        digits: u8,
    },
}

/// A plot of lines over one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// The caption.
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
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis, with its confidence interval. An interval of no width is not drawn.
    pub y: Estimate,
}

/// A horizontal line with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Position on the vertical axis.
    pub y: f64,
}

impl Cell {
    /// Creates a cell with text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a cell with a number and its decimal places.
    #[must_use]
    pub const fn number(value: f64, digits: u8) -> Self {
        Self::Number { value, digits }
    }

    /// Creates a cell with an estimate and its decimal places.
    #[must_use]
    pub const fn estimate(estimate: Estimate, digits: u8) -> Self {
        Self::Estimate { estimate, digits }
    }
}

impl Point {
    /// Creates a point with a confidence interval.
    #[must_use]
    pub const fn new(x: f64, y: Estimate) -> Self {
        Self { x, y }
    }

    /// Creates a point that is known exactly.
    #[must_use]
    pub const fn exact(x: f64, y: f64) -> Self {
        Self { x, y: Estimate::exact(y) }
    }
}
